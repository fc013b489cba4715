"""Files of runs: what is served, how, and what is refused."""

import io
import re
import zipfile

import pytest
from django.urls import reverse

from endpoints import data
from runs import logs
from runs.models import Artifact, StepRun
from runs.views import files
from tests.runs.shown import keep, step_of, write_log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("outputs/plot.png", ("image/png", "inline")),
        ("outputs/report.html", ("application/octet-stream", "attachment")),
        ("outputs/drawing.svg", ("image/svg+xml", "inline")),
        ("outputs/rows.csv", ("text/plain; charset=utf-8", "inline")),
    ],
)
def test_files_never_act_as_pages(client, page, run, path, answer):
    kind, place = answer
    step = step_of(run, "train")
    keep(step, path, b"<script>alert(1)</script>")
    page("run-list")
    response = client.get(reverse("runs:run-file", args=[step.uuid, path]))
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"].startswith(place)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"


def test_files_that_are_not_there_are_404(page, run):
    step = step_of(run, "train")
    artifact = keep(step, "outputs/gone.txt", b"x")
    Artifact.objects.filter(pk=artifact.pk).update(blob="runs/none/gone.txt")
    for name, path in (
        ("run-file", "outputs/gone.txt"),
        ("run-file", "nothing.txt"),
        ("run-data", "none/x.csv"),
        ("run-code", "none/x.py"),
    ):
        page(name, step.uuid if name != "run-code" else run.uuid, path, status=404)


@pytest.mark.parametrize(
    "path",
    [
        *("..%2f..%2fx", "/etc/passwd", "../x", "a%00b", "..%5c..%5cx", "a/%2e%2e/%2e%2e/x"),
        *("가" * 100, "x" * 300),
    ],
)
def test_a_path_that_leads_out_of_an_output_is_refused_with_the_reason(page, client, run, path):
    step = step_of(run, "train")
    place = {"datastore": "workspaceblobstore", "path": "runs/x/out"}
    StepRun.objects.filter(pk=step.pk).update(outputs={"out": place})
    page("run-list")
    for address in (f"/runs/{step.uuid}/data/out/{path}", f"/runs/{step.uuid}/files/{path}"):
        response = client.get(address)
        assert response.status_code == 400
        reason = r"is no relative path of a file|is not one a datastore can hold"
        assert re.search(reason, response.content.decode())


@pytest.mark.parametrize("path", ["a.csv/x", "gone.csv", "a.csv%2fx"])
def test_what_is_not_in_an_output_is_404(page, client, run, path):
    step = step_of(run, "train")
    output = data.locate(run.workspace, "workspaceblobstore", "runs/x/out")
    output.child("runs/x/out/a.csv").write(io.BytesIO(b"a"))
    place = {"datastore": "workspaceblobstore", "path": "runs/x/out"}
    StepRun.objects.filter(pk=step.pk).update(outputs={"out": place})
    page("run-list")
    assert client.get(f"/runs/{step.uuid}/data/out/a.csv").status_code == 200
    assert client.get(f"/runs/{step.uuid}/data/out/{path}").status_code == 404


def test_downloads_answer_head(page, client, run):
    step = step_of(run, "train")
    keep(step, "outputs/a.txt", b"abc")
    write_log(step, "line\n")
    page("run-list")
    for address in (
        reverse("runs:run-file", args=[step.uuid, "outputs/a.txt"]),
        reverse("runs:run-log", args=[step.uuid]),
        reverse("runs:run-zip", args=[run.uuid]),
        reverse("runs:run-raw", args=[run.uuid]),
    ):
        response = client.head(address)
        assert response.status_code == 200
        assert not b"".join(response)
    assert client.post(address).status_code == 405


def test_nothing_is_packed_for_head(client, page, run, monkeypatch):
    page("run-list")
    monkeypatch.setattr(files, "_owners", lambda run: pytest.fail("it was packed"))
    assert client.head(reverse("runs:run-zip", args=[run.uuid])).status_code == 200


def test_all_files_come_as_one_archive(client, page, run):
    step = step_of(run, "train")
    write_log(step, "line\n")
    keep(step, "outputs/a.txt", b"a")
    page("run-list")
    response = client.get(reverse("runs:run-zip", args=[run.uuid]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    contents = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert contents.pop("azureml/executionlogs.txt").count(b"NotStarted -> Queued") == 1
    assert contents == {logs.DRIVER_LOG: b"line\n", "outputs/a.txt": b"a"}
    response = client.get(reverse("runs:run-zip", args=[step.uuid]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.namelist() == [logs.DRIVER_LOG, "outputs/a.txt"]
