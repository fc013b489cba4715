"""The page of a run: what its tabs show, whom they let in, and what they cost."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from runs import engine, schedules
from runs.execution_log import ExecutionLog
from runs.models import Kind, Outcome, Run, StepRun, Worker
from runs.querysets import LOST
from runs.schedules import scheduler
from runs.states import Status
from runs.submission import RunSettings
from runs.tracking import metrics
from tests import factories
from tests.runs.shown import TABS, complete, keep, move, step_of, submit, write_log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def wait_long(run):
    long_ago = timezone.now() - timedelta(seconds=31)
    Run.objects.filter(root=run).update(created_at=long_ago, updated_at=long_ago)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_the_heading(page, run, tab):
    text = page(f"run-{tab}", run.uuid)
    assert str(run) in text
    assert "every 3s" in text
    complete(run)
    assert "every 3s" not in page(f"run-{tab}", run.uuid)


def test_a_run_is_found_without_the_slash_and_a_step_in_its_run(page, client, run):
    assert str(run) in page("run-short", run.uuid)
    step = step_of(run, "train")
    page("run-list")
    for address in (f"/runs/{step.uuid}", f"/runs/{step.uuid}/"):
        response = client.get(address)
        assert response.headers["Location"] == f"/runs/{run.uuid}/?step={step.uuid}"


def test_a_failed_run_opens_with_what_failed(page, run):
    step = step_of(run, "prepare")
    Run.objects.filter(pk=step.pk).update(error="Traceback\nValueError: no <column>")
    StepRun.objects.filter(pk=step.pk).update(exit_code=3)
    move(step, Status.RUNNING, Status.FAILED)
    move(run, Status.RUNNING, Status.FAILED)
    write_log(step, "reading\nValueError: no <column>\n")
    text = page("run-detail", run.uuid)
    assert "Step prepare failed." in text
    assert "ValueError: no &lt;column&gt;" in text
    assert f"?step={step.uuid}#L2" in text
    assert f"?step={step.uuid}#log" in page("run-metrics", run.uuid)
    assert "Exit code 3." in text
    assert "<column>" not in text


def test_a_queued_step_says_what_it_waits_for(page, run):
    text = page("run-detail", run.uuid)
    assert "none is running; start one with" in text
    assert "worker --queues cpu-cluster" in text
    Worker.objects.create(name="w", role="worker", host="h", pid=1, queues=["cpu-cluster"], slots=3)
    assert "one of the 3 slots of queue cpu-cluster" in page("run-detail", run.uuid)
    train = step_of(run, "train")
    assert "Waiting for prepare." in page("run-detail", run.uuid, query=f"?step={train.uuid}")


def test_a_worker_that_fell_silent_does_not_count(page, run):
    Worker.objects.create(
        name="w",
        role="worker",
        host="h",
        pid=1,
        queues=["cpu-cluster"],
        heartbeat_at=timezone.now() - timedelta(minutes=5),
    )
    assert "none is running" in page("run-detail", run.uuid)


class TestHeldSteps:
    """A step whose worker is silent or stopping says so, and what follows."""

    @pytest.fixture
    def claim(self, run):
        Worker.objects.create(name="w", role="worker", host="h", pid=1, queues=["cpu-cluster"])
        return engine.claim("w", ["cpu-cluster"])

    @staticmethod
    def silent() -> tuple[str, str]:
        """Let the worker be silent; the times of its last heartbeat and of its loss."""
        Worker.objects.update(heartbeat_at=Now() - timedelta(seconds=25))
        engine.recover()
        last = Worker.objects.get().heartbeat_at
        return f"{last:%H:%M:%S}", f"{last + LOST:%H:%M:%S}"

    def test_silent(self, page, run, claim):
        assert "silent" not in page("run-detail", run.uuid)
        since, lost_at = self.silent()
        for text in (page("run-detail", run.uuid), page("run-live", run.uuid, "side")):
            assert "Not responding" in text
            assert f"Worker w has been silent since {since}." in text
            assert f"queued again for another worker after {lost_at}." in text
        assert "Not responding" in page("run-steps", run.uuid)
        assert "node step warn" in page("run-live", run.uuid, "graph")
        assert "no heartbeat of worker w since" in ExecutionLog(run).text.decode()
        Worker.objects.update(heartbeat_at=Now())  # before `recover` has noticed it
        assert "silent" not in page("run-detail", run.uuid)

    def test_silent_after_an_earlier_loss(self, page, run, claim):
        engine.finish(claim, Outcome.LOST)
        engine.claim("w", ["cpu-cluster"])
        _, lost_at = self.silent()
        text = page("run-detail", run.uuid)
        assert f"the step fails after {lost_at}, because an earlier attempt" in text

    def test_stopping(self, page, run, claim):
        assert "stopping" not in page("run-detail", run.uuid)
        Worker.objects.update(stopping_at=Now())
        assert "Its worker is stopping." in page("run-detail", run.uuid)
        engine.finish(claim, Outcome.INTERRUPTED)
        assert "Its worker is stopping." not in page("run-detail", run.uuid)


def test_a_reused_step_says_so_and_shows_the_log_of_the_other(client, page, actor, endpoint):
    first, other = complete(submit(actor, endpoint)), complete(submit(actor, endpoint))
    source = step_of(first, "prepare")
    write_log(source, "said by the first\n")
    keep(source, "outputs/model.txt", b"model")
    step = step_of(other, "prepare")
    StepRun.objects.filter(pk=step.pk).update(
        reused_from=source.step, reuse_reason="Reused: nothing changed."
    )
    text = page("run-detail", other.uuid, query=f"?step={step.uuid}")
    assert "Reused: nothing changed." in text
    assert "said by the first" in text
    assert "outputs/model.txt" in page("run-outputs", other.uuid)
    response = client.get(reverse("runs:run-file", args=[step.uuid, "outputs/model.txt"]))
    assert b"".join(response.streaming_content) == b"model"


def test_warnings_and_parameters(page, actor, endpoint):
    run = submit(actor, endpoint, assignments={"lr": "0.5", "lrr": "1"})
    text = page("run-parameters", run.uuid)
    assert "There is no parameter lrr. Did you mean lr?" in text
    assert "0.5" in text
    assert "Given by the caller" in text


def test_metrics_show_values_that_are_no_numbers(page, run):
    step = step_of(run, "train")
    metrics.add_metric(
        step.pk, name="auc", points=[{"data": {"auc": "NaN"}}], columns={"auc": "double"}
    )
    points = [{"data": {"loss": value}} for value in (1.0, "Infinity", 0.5, "-Infinity", 0.25)]
    metrics.add_metric(step.pk, name="loss", points=points, columns={"loss": "double"})
    image = f"aml://artifactId/ExperimentRun/dcid.{step.uuid}/plot.png"
    columns = {"plot": "Artifact"}
    metrics.add_metric(step.pk, name="plot", points=[{"data": {"plot": image}}], columns=columns)
    text = page("run-metrics", run.uuid)
    assert "NaN" in text
    assert "-Infinity" in text
    assert "<polyline" in text
    assert "plot.png" not in text
    text = page("run-images", run.uuid)
    assert f'src="/runs/{step.uuid}/files/plot.png"' in text
    assert "Infinity" not in text


def test_documents_logged_as_metrics_are_links_and_no_images(page, run):
    step = step_of(run, "train")
    kept = f"aml://artifactId/ExperimentRun/dcid.{step.uuid}/accuracy"
    for name, value in (("accuracy", kept), ("strange", "no address"), ("odd", 7)):
        columns, points = {name: "Artifact"}, [{"data": {name: value}}]
        metrics.add_metric(step.pk, name=name, points=points, columns=columns)
    assert f'<a href="/runs/{step.uuid}/files/accuracy">accuracy</a>' in page(
        "run-metrics", run.uuid
    )
    assert "<img class" not in page("run-images", run.uuid)


def test_parts_are_revalidated_and_end_with_the_run(page, client, run):
    page("run-detail", run.uuid)
    for part in ("heading", "graph", "side", "steps"):
        address = reverse("runs:run-live", args=[run.uuid, part])
        first = client.get(address, headers={"hx-request": "true"})
        assert "every 3s" in first.content.decode()
        assert first.headers["Cache-Control"] == "private, no-cache"
    complete(run)
    for part in ("heading", "graph", "side", "steps"):
        address = reverse("runs:run-live", args=[run.uuid, part])
        first = client.get(address)
        assert "every 3s" not in first.content.decode()
        again = client.get(address, headers={"if-none-match": first.headers["ETag"]})
        assert again.status_code == 304
    page("run-live", run.uuid, "nothing", status=404)


def test_the_heading_brings_the_commands_when_the_status_is_another(page, run):
    wait_long(run)
    query = "?shown=NotStarted&waits=cpu-cluster"
    assert "run-commands" not in page("run-live", run.uuid, "heading", query=query)
    move(run, Status.RUNNING)
    assert 'hx-swap-oob="true"' in page("run-live", run.uuid, "heading", query=query)


def test_a_run_tells_how_to_serve_the_queue_it_waits_in(page, run):
    command = "uv run manage.py worker --queues cpu-cluster"
    assert "No worker serves" not in page("run-detail", run.uuid)  # it waits for no 30 s yet
    wait_long(run)
    for tab in ("detail", "parameters"):
        assert "No worker serves cpu-cluster" in page(f"run-{tab}", run.uuid)
        assert command in page(f"run-{tab}", run.uuid)
    query = "?shown=NotStarted&waits=cpu-cluster"
    Worker.objects.create(name="w", role="worker", pid=1, queues=["cpu-cluster"], slots=1)
    told = page("run-live", run.uuid, "heading", query=query)
    assert 'id="run-strips" hx-swap-oob="true"' in told
    assert command not in told
    assert "waits=" not in told
    assert "No worker serves" not in page("run-detail", run.uuid)


def test_a_scheduled_run_names_its_schedule(page, client, actor, run):
    client.force_login(actor.user)
    assert "by schedule" not in page("run-detail", run.uuid)
    made = schedules.create_schedule(
        actor,
        name="nightly",
        endpoint=run.endpoint,
        settings=RunSettings("growth"),
        recurrence={"frequency": "Day", "start_time": "2099-01-01T00:00:00"},
    )
    scheduled = scheduler.run_now(actor, made)
    link = f'<a href="{made.get_absolute_url()}">nightly</a>'
    assert f"by schedule {link}" in page("run-detail", scheduled.uuid)
    assert f"Schedule: {link}" in page("run-details", scheduled.uuid)
    text = page("run-list", query=f"?schedule={made.uuid}")
    assert "Schedule: nightly" in text
    assert f'name="schedule" value="{made.uuid}"' in text
    assert str(scheduled.uuid) in text
    assert str(run.uuid) not in text


def test_another_workspace_sees_nothing(page):
    elsewhere = factories.workspace()
    other = factories.actor(elsewhere)
    run = submit(other, factories.endpoint(elsewhere, steps=("one",)))
    step = Run.objects.get(parent=run, kind=Kind.STEP)
    keep(step, "outputs/a.txt", b"a")
    for tab in TABS:
        page(f"run-{tab}", run.uuid, status=404)
    page("run-file", step.uuid, "outputs/a.txt", status=404)
    page("run-log", step.uuid, status=404)
    page("run-zip", run.uuid, status=404)
    page("run-live", run.uuid, "heading", status=404)
    page("run-cancel", run.uuid, status=404)
    assert str(run) not in page("run-list")


def test_pages_answer_head(client, page, run):
    page("run-list")
    names = [*(f"run-{tab}" for tab in TABS), "run-cancel", "run-resubmit", "run-rename"]
    addresses = [reverse(f"runs:{name}", args=[run.uuid]) for name in names]
    addresses.append(reverse("runs:run-list"))
    for address in [*addresses, reverse("runs:run-live", args=[run.uuid, "heading"])]:
        reply = client.head(address)
        assert reply.status_code == 200, address
        assert not reply.content


def test_times_say_when_to_machines_and_durations_of_what_runs_tick(page, run):
    move(run, Status.RUNNING)
    text = page("run-list") + page("run-details", run.uuid)
    assert text.count(f' datetime="{run.created_at:%Y-%m-%dT%H:%M:%SZ}"') >= 2
    assert text.count(f'data-since="{run.started_at:%Y-%m-%dT%H:%M:%SZ}"') >= 2
    move(run, Status.COMPLETED)
    assert "data-since" not in page("run-list")
