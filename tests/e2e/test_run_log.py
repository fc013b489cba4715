"""The list of runs and the log of a run in a real browser."""

import re
import textwrap

import pytest

from tests.e2e.waiting import wait_until

NAME = "an-endpoint-with-quite-a-long-name-that-has-no-place-to-break"
LONG = {
    "ExperimentName": "an_experiment_of_the_growth_team_that_says_all_there_is_to_say",
    "DisplayName": "the nightly model of customers who leave, with every column there is",
    "Tags": {"team": "growth-and-retention-analytics", "owner": "somebody@example.org"},
}
PIPELINE = f"""
    pipeline:
      name: {NAME}
      default_compute: cpu-cluster
      parameters:
        until: {{type: string, default: failed}}
      steps:
        talk:
          type: PythonScriptStep
          script_name: talk.py
          allow_reuse: false
          arguments: ["parameter:until"]
"""
SCRIPT = """
    import sys
    import time

    for number in range(1, 2501):
        print("row", number, "of what a script says" + " and more" * 20)
    print("the needle", flush=True)
    while sys.argv[1] == "canceled":
        for _line in range(200):
            number += 1
            print("row", number)
        sys.stdout.flush()
        time.sleep(0.1)
    while sys.argv[1] == "bar":
        number += 1
        sys.stdout.write(f"\\r{number} of all")
        sys.stdout.flush()
        time.sleep(0.1)
    raise ValueError("tenure is missing")
"""
TOO_WIDE = "e => e.scrollWidth > e.clientWidth"
AT_END = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 40"
LOG = "[data-log-text]"
COUNT_EVENTS = """() => {
    window.events = 0;
    document.addEventListener("htmx:afterSwap", (event) => {
        if (event.target.closest("[data-log-text]")) window.events += 1;
    });
}"""
FOLLOWED = "document.querySelector('[data-log-text]').scrollTop"


@pytest.fixture(scope="module")
def talker(live_studio, tmp_path_factory):
    """An endpoint whose step writes 2,500 lines and then fails, or goes on until it is canceled."""
    folder = tmp_path_factory.mktemp("talker")
    (folder / "pipeline.yml").write_text(textwrap.dedent(PIPELINE))
    (folder / "talk.py").write_text(textwrap.dedent(SCRIPT))
    live_studio.manage("publish", str(folder), "--endpoint", NAME)
    return NAME


@pytest.fixture(scope="module")
def failed(live_studio, talker):
    run = live_studio.wait(live_studio.trigger(talker, **LONG))
    return f"/runs/{run['Id']}/"


@pytest.fixture(params=["canceled"])
def talking(live_studio, talker, scripts, request):
    if not scripts:
        pytest.skip("without scripts a page shows what there was")
    run = live_studio.trigger(talker, ParameterAssignments={"until": request.param})
    yield f"/runs/{run}/"
    live_studio.call("DELETE", f"{live_studio.pipelines}/PipelineRuns/{run}/Execution")
    live_studio.wait(run)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_name_makes_the_list_of_runs_scroll_sideways(page, failed, language):
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto("/pipelines/runs/")
    assert LONG["DisplayName"] in page.locator("#runs").inner_text()
    for width in (1000, 1101, 1201, 1280, 1341, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert not page.locator("#runs .scroll").evaluate(TOO_WIDE), width
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_failed_run_shows_its_error_and_leads_to_it(page, failed, scripts):
    page.goto(failed)
    strip = page.locator("#run-strips")
    assert "Step talk failed. ValueError: tenure is missing" in strip.inner_text()
    if scripts:  # the pane has moved there by itself
        error = page.locator(LOG).get_by_text("Traceback (most recent call last)")
        wait_until(page, f"{FOLLOWED} > 0")
        top, box = error.bounding_box()["y"], page.locator(LOG).bounding_box()
        assert box["y"] <= top <= box["y"] + box["height"]
    strip.get_by_role("link", name="Open its log").click()
    assert page.locator(".row:target").inner_text().strip().startswith("Traceback")


def test_a_link_to_a_line_opens_a_log_there(page, failed):
    page.goto(f"{failed}?line=700#L700")
    row = page.locator("#L700")
    assert row.get_attribute("aria-current") == "true"
    assert "row 700 " in row.inner_text()
    page.get_by_role("link", name="Jump to latest").click()
    page.get_by_text("the needle").wait_for()
    page.get_by_role("link", name="Earlier lines").click()
    page.wait_for_url(re.compile(r"line=\d+#L\d+$"))
    assert page.locator(".row[aria-current]").count() == 1


def test_a_line_that_is_elsewhere_is_fetched_and_a_number_is_a_link_to_share(page, failed, scripts):
    if not scripts:
        pytest.skip("an address without line= needs scripts")
    page.goto(f"{failed}#L42")
    page.wait_for_url(re.compile(r"line=42#L42$"))
    assert "row 42 " in page.locator("#L42").inner_text()
    page.locator("#L45 .n").click()
    page.wait_for_url(re.compile(r"line=45#L45$"))
    assert page.locator("#L45").get_attribute("aria-current") == "true"


def test_find_goes_through_the_lines_shown(page, failed, scripts):
    page.goto(failed)
    field = page.get_by_placeholder("Find in the lines shown")
    if not scripts:
        assert not field.is_visible()
        return
    count = page.locator("[data-log-count]")
    field.fill("row 25")
    assert count.inner_text() == "1/1"  # 2500, the others of that beginning are further up
    field.fill("ROW 24")
    assert count.inner_text() == "1/100"
    field.press("Enter")
    assert count.inner_text() == "2/100"
    page.get_by_role("button", name="Previous match").click()
    page.get_by_role("button", name="Previous match").click()
    assert count.inner_text() == "100/100"
    field.fill("needles")
    assert count.inner_text() == "0/0"


def test_long_lines_are_wrapped_on_request(page, failed, scripts):
    page.goto(failed)
    wrap = page.get_by_role("button", name="Wrap")
    if not scripts:
        assert not wrap.is_visible()
        return
    assert page.locator(LOG).evaluate(TOO_WIDE)
    wrap.click()
    assert wrap.get_attribute("aria-pressed") == "true"
    assert not page.locator(LOG).evaluate(TOO_WIDE)


def test_a_log_is_followed_until_its_reader_scrolls_up(page, talking):
    page.goto(talking)
    wait_until(page, f"{FOLLOWED} > 0")
    jump = page.get_by_role("button", name="Jump to latest")
    assert not jump.is_visible()
    page.locator(LOG).evaluate("e => { e.scrollTop = 0; }")
    jump.wait_for()
    rows = page.locator(f"{LOG} .row").count()
    count = f"document.querySelectorAll('{LOG} .row').length"
    wait_until(page, f"{count} > {rows} || {count} >= 5000")  # then it waits for its reader
    assert page.locator(LOG).evaluate("e => e.scrollTop") == 0
    jump.click()  # leads to another page if there were more lines than one holds
    wait_until(page, f"({AT_END})(document.querySelector('{LOG}'))")
    jump.wait_for(state="hidden")


def test_a_log_that_is_followed_keeps_its_newest_lines(page, talking):
    page.goto(talking)
    page.evaluate(COUNT_EVENTS)
    wait_until(page, f"{FOLLOWED} > 0")
    wait_until(page, f"Number(document.querySelector('{LOG} .row').id.slice(1)) > 2500")
    assert page.locator(f"{LOG} .row").count() == 5000
    assert page.evaluate("window.events") == 0  # one for each row would take seconds
    assert re.match(r"From line \d+ on", page.locator("[data-log-part]").inner_text())
    page.get_by_role("link", name="Earlier lines").click()
    page.wait_for_url(re.compile(r"line=\d+#L\d+$"))
    line = int(page.url.rpartition("L")[2])
    shown = page.locator(f"{LOG} .row").evaluate_all("rows => rows.map(row => +row.id.slice(1))")
    assert len(shown) == 1000
    assert shown[0] < line <= shown[-1]


@pytest.mark.parametrize("talking", ["bar"], indirect=True)
def test_a_progress_bar_is_one_line_while_it_moves(page, talking):
    page.goto(talking)
    bar = page.locator(f"{LOG} .row", has_text="of all")
    bar.wait_for()
    seen = set()
    for _turn in range(3):
        text = bar.inner_text().strip()  # fails if there are two
        assert re.fullmatch(r"\d+ of all", text)
        seen.add(text)
        wait_until(page, f"!document.querySelector('{LOG}').innerText.includes({text!r})")
    assert len(seen) == 3
    number = bar.get_attribute("id")
    page.reload()
    assert re.fullmatch(r"\d+ of all", bar.inner_text().strip())
    assert bar.get_attribute("id") == number


def test_the_log_and_its_archive_are_downloaded(page, failed):
    page.goto(failed)
    with page.expect_download() as log:
        page.get_by_role("link", name="Download", exact=True).click()
    assert log.value.suggested_filename.endswith("70_driver_log.txt")
    text = log.value.path().read_text()
    assert text.startswith("row 1 ")
    assert "the needle" in text
    with page.expect_download() as archive:
        page.get_by_role("link", name="All as zip").click()
    assert archive.value.suggested_filename.endswith(".zip")
