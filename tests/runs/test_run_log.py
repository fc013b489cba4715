"""Logs of runs: opened at a line, followed on a page, and downloaded whole."""

import re

import pytest
from django.test import RequestFactory
from django.urls import reverse

from runs import logs
from runs.states import Status
from runs.views import log_files, log_lines
from runs.views import logs as views
from studio.storage.store import Store
from tests.runs.shown import complete, move, step_of, write_log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]

STACK = "Traceback (most recent call last):\n  File one\nValueError: tenure\n"


@pytest.fixture
def step(run):
    return step_of(run, "prepare")


def numbered(count: int, *, first: int = 1) -> str:
    return "".join(f"row {number}\n" for number in range(first, first + count))


def shown(text: str) -> list[int]:
    """The numbers of the lines on a page."""
    return [int(number) for number in re.findall(r'id="L(\d+)"', text)]


def marked(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="L(\d+)" aria-current="true"', text)]


def test_a_page_opens_with_the_newest_lines_and_says_where_the_others_are(page, run, step):
    write_log(step, numbered(2500))
    text = page("run-detail", run.uuid)
    assert shown(text) == list(range(1501, 2501))
    assert "find searches these lines" in text
    assert f'href="{reverse("runs:run-log", args=[step.uuid])}?file=' in text
    assert "line=1001#L1001" in text  # half a page before the first
    assert 'role="log"' in text


def test_a_log_that_is_shown_whole_names_no_part(page, run, step):
    write_log(step, numbered(3))
    move(step, Status.RUNNING, Status.COMPLETED)
    text = page("run-detail", run.uuid)
    assert shown(text) == [1, 2, 3]
    assert "find searches these" not in text
    assert "Earlier lines" not in text


def test_a_link_to_a_line_opens_the_log_there(page, run, step):
    write_log(step, numbered(5000))
    text = page("run-detail", run.uuid, query=f"?step={step.uuid}&line=1200")
    assert shown(text) == list(range(700, 1700))
    assert marked(text) == [1200]
    assert "Lines 700 to 1699" in text
    assert "line=2200#L2200" in text
    assert "Jump to latest" in text
    assert "hx-get" not in text[text.index('id="log"') :]  # what is appended is not what follows


@pytest.mark.parametrize("cut", [1, 3, 7, 64])
def test_lines_are_numbered_alike_however_a_log_was_written(step, cut):
    whole = ("\n\nfirst\n" + numbered(20) + "가나다\n" * 3 + "open").encode()
    for at in range(0, len(whole), cut):
        attempt = 1 if at < len(whole) // 2 else 2
        writer = logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=attempt)
        writer.segments = at  # names go on where another writer would have been
        writer.write(whole[at : at + cut])
    log = log_files.of(step, logs.DRIVER_LOG)
    for number in range(1, whole.count(b"\n") + 2):
        offset, found = log_lines.offset_of(log, number)
        assert found == number
        assert whole[:offset].count(b"\n") == number - 1
        assert offset == 0 or whole[offset - 1 : offset] == b"\n"
        assert log_lines.line_at(log, offset) == number
        assert log_lines.around(log, number).text == whole.decode()


def test_a_line_of_a_large_log_is_found_without_reading_what_is_before(step, monkeypatch):
    writer = logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=1)
    part = (b"x" * 99 + b"\n") * 1000
    for _segment in range(40):
        writer.write(part)
    read, stream = [], Store.stream

    def counted(store, blob, **place):
        for data in stream(store, blob, **place):
            read.append(len(data))
            yield data

    monkeypatch.setattr(Store, "stream", counted)
    log = log_files.of(step, logs.DRIVER_LOG)
    assert log_lines.around(log, 30_500).line == 30_000
    assert log_lines.tail(log, low=0, high=log.size).line == 39_001
    assert sum(read) < log_lines.CHUNK_BYTES + log_lines.TAIL_BYTES + 3 * len(part)


def test_the_asked_line_is_shown_between_very_long_ones(page, run, step):
    write_log(step, "".join(f"{number} {'x' * 3000}\n" for number in range(1, 301)))
    text = page("run-detail", run.uuid, query="?line=200")
    assert marked(text) == [200]
    assert len(shown(text)) < 100


def test_a_failed_run_opens_on_its_first_failed_step_at_the_error(page, run):
    train = step_of(run, "train")
    write_log(train, "mean error 0.2\n" + numbered(30) + STACK)
    move(step_of(run, "prepare"), Status.RUNNING, Status.COMPLETED)
    move(train, Status.RUNNING, Status.FAILED, error=STACK)
    move(run, Status.RUNNING, Status.FAILED)
    text = page("run-detail", run.uuid)
    assert "<b>Step train failed.</b> ValueError: tenure" in text
    assert marked(text) == [32]
    assert 'data-log-at="L32"' in text
    assert "First error: line 32" in text


def test_without_a_stack_the_first_line_that_names_an_error_is_it(page, run, step):
    write_log(step, numbered(3) + "error: no rows\n" + "error: again\n")
    move(step, Status.RUNNING, Status.FAILED)
    move(run, Status.RUNNING, Status.FAILED)
    assert marked(page("run-detail", run.uuid)) == [4]


def test_who_is_behind_a_log_asks_at_once(page, run, step, monkeypatch):
    monkeypatch.setattr(log_lines, "CHUNK_BYTES", 10)
    move(step, Status.RUNNING)
    write_log(step, numbered(3))
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "load delay" in text
    text = page("run-log", step.uuid, query="?from=10&line=2&open=1", hx_request="true")
    assert "load delay" not in text
    assert "every 2s" in text


def test_a_pane_offers_its_files_and_no_script_of_its_own(page, run, step):
    write_log(step, "<script>alert(1)</script> \x1b[31mred\x1b[0m\n")
    logs.LogWriter(step.uuid, "user_logs/std_log.txt", attempt=1).write(b"mine\n")
    text = page("run-detail", run.uuid)
    pane = text[text.index("data-log ") :]
    pane = pane[: pane.index("data-log-jump")]
    assert "<script" not in pane
    assert not re.search(r"\s(style|on\w+)=", pane)
    assert "user_logs/std_log.txt" in pane
    assert reverse("runs:run-zip", args=[step.uuid]) in pane
    assert "mine" in page("run-detail", run.uuid, query="?file=user_logs/std_log.txt")
    assert "alert(1)" in page("run-detail", run.uuid, query="?file=../../secret")


def test_a_log_is_followed_by_bytes_until_its_step_has_ended(page, run):
    step = step_of(run, "prepare")
    move(step, Status.RUNNING)
    whole = "가 <b>\n".encode()
    logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=1).write(whole[:2])
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "from=0" in text  # half a letter is left for the next time
    logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=2).write(whole[2:])
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "가 &lt;b&gt;" in text
    assert f"from={len(whole)}" in text
    move(step, Status.COMPLETED)
    text = page("run-log", step.uuid, query=f"?from={len(whole)}", hx_request="true")
    assert "hx-get" not in text


def test_a_log_is_downloaded_whole(client, page, run):
    step = step_of(run, "prepare")
    write_log(step, "all of it\n")
    page("run-list")
    response = client.get(reverse("runs:run-log", args=[step.uuid]) + "?download=1")
    assert b"".join(response.streaming_content) == b"all of it\n"
    assert response.headers["Content-Disposition"].startswith("attachment")
    page("run-log", step.uuid, query="?file=../../secret", status=404)


def test_earlier_lines_leave_none_out(page, run, step):
    write_log(step, numbered(2500))
    seen, query = set(), f"?step={step.uuid}"
    for _turn in range(10):
        text = page("run-outputs", run.uuid, query=query)
        seen |= set(shown(text))
        earlier = re.search(r'href="(\?[^"#]*)#L\d+"[^>]*>Earlier lines', text)
        if earlier is None:
            break
        query = earlier[1].replace("&amp;", "&")
    assert seen == set(range(1, 2500 + 1))


def test_the_log_of_a_run_is_a_file_like_others(client, page, run):
    complete(run)
    address = reverse("runs:run-log", args=[run.uuid]) + f"?file={log_files.EXECUTION_LOG}"
    page("run-list")
    reply = client.get(f"{address}&download=1")
    assert b"run: Running -> Completed" in b"".join(reply.streaming_content)
    page("run-log", run.uuid, query="?file=azureml-logs/70_driver_log.txt", status=404)


class Page:
    """What a page shows of a log that it follows: its text, and where it asks for more."""

    def __init__(self, page, run, step):
        self.page, self.run, self.step = page, run, step
        text = page("run-detail", run.uuid)
        pane = text[text.index("data-log-text>") + len("data-log-text>") :]
        self.take(pane[: pane.index("</pre>")])

    def take(self, markup):
        self.text, _, rest = markup.partition('<span class="log-next"')
        found = re.match(r' hx-get="[^"?]*([^"]*)"[^>]*>(.*)</span>$', rest, re.S)
        self.next, self.anew = (found[1].replace("&amp;", "&"), found[2]) if found else ("", "")

    def follow(self, *, is_over=False):
        while self.next:
            shown, before = self.text, self.next
            status = 204 if f"seen={self.size()}" in before and not is_over else 200
            answer = self.page(
                "run-log", self.step.uuid, query=before, status=status, hx_request="true"
            )
            if status == 204:
                return
            self.take(answer)
            self.text = shown + self.text
            if self.next == before:
                return

    def size(self):
        return log_files.of(self.step, logs.DRIVER_LOG).size

    @property
    def shown(self):
        return text_of(self.text + self.anew)


def text_of(markup: str) -> str:
    """Without half a letter, which is waited for."""
    return re.sub(r"<[^>]*>|\ufffd", "", markup)


def reloaded(step) -> str:
    """The text of the log's part of a page that is opened now."""
    pane = views.pane(RequestFactory().get("/"), step)
    return text_of(pane["lines"] + pane["anew"])


PROGRESS = [
    *("start\n", "\r 0%", "\r 50%|##", "\r 9%|#", "\n"),
    "win\r\n",
    *("a.", "\r", "\r", "b\r", "\n"),
    "\x1b[31mred 가 <b>\x1b[0m\rnext",
    "\n\nlast \r",
    "\rover",
]


@pytest.mark.parametrize("size", [1, 2, 5, 17])
def test_a_followed_log_is_what_a_reload_shows(page, run, step, size):
    """However a progress bar was cut into pieces."""
    move(step, Status.RUNNING)
    writer = logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=1)
    writer.write(b"0\n")
    followed = Page(page, run, step)
    whole = "".join(PROGRESS).encode()
    for at in range(0, len(whole), size):
        writer.write(whole[at : at + size])
        followed.follow()
        assert followed.shown == reloaded(step)
    assert followed.shown == "0\nstart\n 9%|#\nwin\nb\nnext\n\nover"
    assert shown(followed.text + followed.anew) == list(range(1, 9))
    move(step, Status.COMPLETED)
    followed.follow(is_over=True)
    assert followed.next == ""
    assert followed.shown == Page(page, run, step).shown


def test_a_log_without_news_is_not_sent_again(page, run, step):
    move(step, Status.RUNNING)
    write_log(step, "one\rtwo")
    followed = Page(page, run, step)
    assert (followed.text, followed.shown) == ("", "two")
    page("run-log", step.uuid, query=followed.next, status=204, hx_request="true")


def test_a_line_without_end_is_sent_again_while_it_is_short(page, run, step):
    move(step, Status.RUNNING)
    write_log(step, "x" * (log_lines.MOST_KEPT + 1))
    followed = Page(page, run, step)
    assert "open=1" in followed.next
    assert followed.anew == ""
