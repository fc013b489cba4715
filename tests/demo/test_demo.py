"""The demo: its rows are what real runs leave, the pages show it, and nothing in it is left to do."""

from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from endpoints.models import PipelineEndpoint, PublishedPipeline
from endpoints.seed import seed
from endpoints.services import disable
from runs.engine import recover
from runs.logs import log_segments
from runs.models import (
    Artifact,
    Experiment,
    Kind,
    MetricValue,
    Outcome,
    PipelineDraft,
    PipelineRun,
    RegisteredModel,
    Run,
    RunAttribute,
    Schedule,
    ScheduleTick,
    StatusChange,
    StepAttempt,
    StepRun,
    TickOutcome,
)
from runs.states import BEFORE, TERMINAL, Status
from runs.submission import EndpointTarget, NewGraph, RunSettings, Submission
from studio.core.access import system_actor
from studio.core.models import AuditEvent, User
from studio.core.workspaces import create_admin, create_workspace
from studio.demo import story
from studio.demo.copies import long_history
from studio.demo.history import History
from studio.storage.store import studio_store
from tests import factories


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, tmp_path_factory):
    """A workspace with the demo, made once for all tests of this file, which change nothing."""
    with django_db_blocker.unblock():
        point = transaction.atomic()
        point.__enter__()
        started = timezone.now()
        workspace = create_workspace(name="demo", resource_group="demo")
        create_admin(workspace=workspace)
        seed(workspace, samples=False)
        story.fill(workspace, since=started)
        yield workspace
        transaction.set_rollback(True)
        point.__exit__(None, None, None)


pytestmark = pytest.mark.django_db


def past(workspace):
    return Run.objects.filter(workspace=workspace, finished_at__isnull=False)


def test_it_shows_every_way_that_things_go(demo):
    ways = Counter(past(demo).filter(kind=Kind.PIPELINE).values_list("status", flat=True))
    assert set(ways) == {Status.COMPLETED, Status.FAILED, Status.CANCELED}
    assert ways[Status.COMPLETED] > 200 and ways[Status.FAILED] > 20
    assert past(demo).filter(status=Status.SKIPPED).exists()
    sizes = PublishedPipeline.objects.filter(workspace=demo).values_list("step_count", flat=True)
    assert max(sizes) > 50
    assert set(ScheduleTick.objects.values_list("outcome", flat=True)) == set(TickOutcome)
    churn = PipelineEndpoint.objects.get(workspace=demo, name="churn-train")
    assert churn.versions.filter(pipeline__status="Disabled").count() == 1
    assert churn.default_version.number == 2
    assert PipelineDraft.objects.filter(workspace=demo).count() == 2
    assert RegisteredModel.objects.filter(workspace=demo).exists()
    verbs = Counter(AuditEvent.objects.values_list("verb", flat=True))
    assert {"submit refused", "sign-in failed", "set default", "disable"} <= set(verbs)


def test_statuses_of_runs_follow_from_those_of_their_steps(demo):
    for run in past(demo).filter(kind=Kind.PIPELINE).prefetch_related("children"):
        steps = {step.status for step in run.children.all()}
        assert steps <= TERMINAL
        if run.cancel_requested_at:
            assert run.status == Status.CANCELED
        elif Status.FAILED in steps:
            assert run.status == Status.FAILED
            assert run.error.startswith("Step ")
        else:
            assert (run.status, steps) == (Status.COMPLETED, {Status.COMPLETED})


def test_each_run_went_through_changes_that_are_allowed(demo):
    changes = StatusChange.objects.filter(run__in=past(demo)).order_by("pk")
    at, status = {}, {}
    for change in changes:
        was = status.get(change.run_id, Status.NOT_STARTED)
        assert change.from_status == was
        assert was in BEFORE[change.to_status]
        assert change.at >= at.get(change.run_id, change.at)
        at[change.run_id], status[change.run_id] = change.at, change.to_status
    rows = past(demo).values_list("pk", "status", "finished_at")
    assert [row for row in rows if (status[row[0]], at[row[0]]) != row[1:]] == []


def test_rows_have_what_real_ones_have(demo):
    runs = past(demo)
    top = runs.filter(kind=Kind.PIPELINE)
    assert not top.exclude(root=F("pk")).exists()
    assert not runs.filter(kind=Kind.STEP).exclude(root=F("parent")).exists()
    assert (
        top.count() == PipelineRun.objects.filter(run__in=top, submitted_at__isnull=False).count()
    )
    assert not runs.filter(
        Q(started_at__lt=F("created_at")) | Q(finished_at__lt=F("started_at"))
    ).exists()
    for experiment in Experiment.objects.filter(workspace=demo):
        numbers = experiment.runs.filter(kind=Kind.PIPELINE).order_by("pk")
        assert list(numbers.values_list("number", flat=True)) == list(
            range(1, experiment.runs_made + 1)
        )
    for run in top.select_related("pipeline_run"):
        kept = RunAttribute.objects.filter(run=run).values_list("kind", "key", "value")
        parameters = run.pipeline_run.parameters
        assert set(kept) == {
            *(("tag", key, value) for key, value in run.tags.items()),
            *(("parameter", key, value) for key, value in parameters.items()),
        }
    order = top.order_by("pk").values_list("created_at", flat=True)
    assert list(order) == sorted(order)
    audited = AuditEvent.objects.order_by("pk").values_list("at", flat=True)
    assert list(audited) == sorted(audited)


def test_attempts_are_over_and_counted(demo):
    attempts = StepAttempt.objects.filter(step__run__in=past(demo))
    assert not attempts.filter(Q(finished_at=None) | Q(outcome="")).exists()
    assert attempts.filter(outcome=Outcome.FAILED, step__run__status=Status.COMPLETED).exists()
    steps = StepRun.objects.filter(run__in=past(demo)).annotate(made=Count("attempts"))
    assert not steps.exclude(made=F("run__attempt")).exists()


def test_files_are_in_the_storage(demo):
    assert Artifact.objects.exists()
    for artifact in Artifact.objects.all():
        assert studio_store().state(artifact.blob).size == artifact.size
    for step in StepRun.objects.filter(run__in=past(demo).filter(status=Status.FAILED)):
        assert log_segments(step.run.uuid)
    for step in StepRun.objects.filter(run__status=Status.COMPLETED).exclude(outputs={})[:50]:
        for place in step.outputs.values():
            assert studio_store().kind(place["stored"]["listing"]) == "file"
    assert not MetricValue.objects.filter(attempt=None).exists()


def test_nothing_of_the_past_is_left_to_do(demo):
    live = Run.objects.filter(workspace=demo, finished_at=None)
    before = list(live.order_by("pk").values_list("pk", "status"))
    recover()
    assert list(live.order_by("pk").values_list("pk", "status")) == before
    assert live.filter(kind=Kind.PIPELINE).count() == 2  # those are real
    assert not Schedule.objects.filter(next_at__lte=AuditEvent.objects.latest("at").at).exists()


def test_pages_show_it(demo, client):
    client.force_login(User.objects.get(username="admin"))
    runs = past(demo).filter(kind=Kind.PIPELINE)
    shown = [
        *(f"/{name}/" for name in ("datasets", "datastores", "compute")),
        *(f"/pipelines/{name}/" for name in ("runs", "endpoints", "published", "schedules")),
        *(row.get_absolute_url() for row in PipelineEndpoint.objects.filter(workspace=demo)),
        *(row.get_absolute_url() for row in Schedule.objects.filter(workspace=demo)),
    ]
    for endpoint in PipelineEndpoint.objects.filter(workspace=demo):
        newest = runs.filter(endpoint=endpoint).latest("pk").get_absolute_url()
        tabs = ("", "steps/", "outputs/", "metrics/", "images/", "parameters/", "details/", "log/")
        shown += [f"{newest}{tab}" for tab in tabs]
    assert [path for path in shown if client.get(path).status_code != 200] == []


def test_a_folder_with_runs_is_refused(demo):
    before = Run.objects.count(), AuditEvent.objects.count()
    assert "has runs already" in story.why_not(demo)
    with pytest.raises(CommandError, match="--demo fills a new data folder, and this one has runs"):
        call_command("prepare", "--demo")
    assert (Run.objects.count(), AuditEvent.objects.count()) == before


def test_a_disabled_endpoint_has_no_past_after_it(demo):
    legacy = PipelineEndpoint.objects.get(workspace=demo, name="legacy-report")
    at = AuditEvent.objects.get(verb=disable.__name__, object_uuid=legacy.uuid).at
    assert not legacy.runs.filter(created_at__gt=at).exists()


def test_a_long_history_is_copies_with_keys_of_their_own(actor, workspace, monkeypatch):
    monkeypatch.setattr("studio.demo.copies.AT_ONCE", 3)
    endpoint = factories.endpoint(workspace, steps=("one", "two"), edges=[("one", "two")])
    long_history(actor, Submission(EndpointTarget(endpoint), RunSettings("long")), runs=12)
    runs = Run.objects.filter(experiment__name="long", kind=Kind.PIPELINE).order_by("pk")
    assert list(runs.values_list("number", flat=True)) == list(range(1, 13))
    assert Experiment.objects.get(name="long").runs_made == 12
    times = list(runs.values_list("created_at", flat=True))
    assert times == sorted(set(times))
    assert not runs.exclude(root=F("pk")).exists()
    for run in runs.select_related("pipeline_run"):
        steps = Run.objects.filter(parent=run, root=run).order_by("pk")
        assert [step.name for step in steps] == ["one", "two"]
        assert all(step.step.attempts.count() == 1 for step in steps)
        assert run.status_changes.count() == 2
    tree = Run.objects.filter(experiment__name="long")
    assert tree.values("uuid").distinct().count() == tree.count() == 36


def test_history_takes_no_new_graph(workspace):
    with pytest.raises(TypeError):
        History().ask(
            system_actor(workspace),
            Submission(NewGraph(lambda who: None), RunSettings("x")),
            at=None,
        )
