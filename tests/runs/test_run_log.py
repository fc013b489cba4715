"""Logs of runs: followed on a page, and downloaded whole."""

import pytest
from django.urls import reverse

from runs import storage
from runs.states import Status
from tests.runs.shown import move, step_of, write_log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def test_a_log_is_followed_by_bytes_until_its_step_has_ended(page, run):
    step = step_of(run, "prepare")
    move(step, Status.RUNNING)
    whole = "가 <b>\n".encode()
    storage.LogWriter(step.uuid, storage.DRIVER_LOG, attempt=1).write(whole[:2])
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "from=0" in text  # half a letter is left for the next time
    storage.LogWriter(step.uuid, storage.DRIVER_LOG, attempt=2).write(whole[2:])
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
