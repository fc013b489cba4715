"""Going through a long log page by page, and the log of a run as a file."""

import re

import pytest
from django.urls import reverse

from runs import storage
from runs.views import logfiles
from tests.runs.shown import complete, step_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]
LINES = 2500


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="L(\d+)"', text)]


def test_earlier_lines_leave_none_out(page, run):
    step = step_of(run, "prepare")
    text = "".join(f"line {number}\n" for number in range(1, LINES + 1))
    storage.LogWriter(step.uuid, storage.DRIVER_LOG, attempt=1).write(text.encode())
    seen, query = set(), f"?step={step.uuid}"
    for _turn in range(10):
        text = page("run-outputs", run.uuid, query=query)
        seen |= set(numbers(text))
        earlier = re.search(r'href="(\?[^"#]*)#L\d+"[^>]*>Earlier lines', text)
        if earlier is None:
            break
        query = earlier[1].replace("&amp;", "&")
    assert seen == set(range(1, LINES + 1))


def test_the_log_of_a_run_is_a_file_like_others(client, page, run):
    complete(run)
    address = reverse("runs:run-log", args=[run.uuid]) + f"?file={logfiles.EXECUTION_LOG}"
    page("run-list")
    reply = client.get(f"{address}&download=1")
    assert b"run: Running -> Completed" in b"".join(reply.streaming_content)
    page("run-log", run.uuid, query="?file=azureml-logs/70_driver_log.txt", status=404)
