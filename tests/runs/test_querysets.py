"""`transition`: the one way to change a status, done by exactly one caller."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from runs.models import Run, StatusChange, Worker
from runs.querysets import SILENT
from runs.states import BEFORE_BY_CLIENT, Status
from tests.runs import playing

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(actor):
    return playing.start(actor)


@pytest.fixture
def step(run):
    return run.children.get()


def test_a_transition_writes_status_stamps_and_history(step):
    assert Run.objects.transition(step.pk, to=Status.RUNNING, reason="test")
    assert Run.objects.transition(step.pk, to=Status.FAILED, error="boom")
    step.refresh_from_db()
    assert (step.status, step.error) == (Status.FAILED, "boom")
    assert step.started_at <= step.finished_at
    last = StatusChange.objects.filter(run=step).last()
    assert (last.from_status, last.to_status) == (Status.RUNNING, Status.FAILED)


def test_only_one_of_two_callers_changes_a_status(step):
    assert Run.objects.transition(step.pk, to=Status.PREPARING, was=Status.QUEUED)
    assert not Run.objects.transition(step.pk, to=Status.PREPARING, was=Status.QUEUED)


def test_a_transition_the_table_forbids_changes_nothing(step):
    Run.objects.transition(step.pk, to=Status.CANCELED)
    for status in Status:
        assert not Run.objects.transition(step.pk, to=status)
        assert not Run.objects.transition(step.pk, to=status, was=Status.CANCELED)
    step.refresh_from_db()
    assert step.status == Status.CANCELED


def test_an_older_attempt_writes_nothing(step):
    Run.objects.transition(step.pk, to=Status.PREPARING, attempt=0, next_attempt=1)
    Run.objects.transition(step.pk, to=Status.QUEUED, attempt=1)
    Run.objects.transition(step.pk, to=Status.PREPARING, attempt=1, next_attempt=2)
    assert not Run.objects.transition(step.pk, to=Status.COMPLETED, attempt=1)
    assert Run.objects.transition(step.pk, to=Status.COMPLETED, attempt=2)


def test_only_what_its_client_drives_begins_again(step):
    Run.objects.transition(step.pk, to=Status.FAILED, error="boom")
    assert not Run.objects.transition(step.pk, to=Status.RUNNING)
    assert Run.objects.transition(step.pk, to=Status.RUNNING, table=BEFORE_BY_CLIENT)
    step.refresh_from_db()
    assert (step.status, step.finished_at) == (Status.RUNNING, None)


def test_started_at_is_that_of_the_first_start(step):
    Run.objects.transition(step.pk, to=Status.RUNNING)
    step.refresh_from_db()
    first = step.started_at
    Run.objects.transition(step.pk, to=Status.QUEUED)
    Run.objects.transition(step.pk, to=Status.RUNNING)
    step.refresh_from_db()
    assert step.started_at == first


def test_many_change_together_and_each_once(actor):
    run = playing.start(actor, steps=("a", "b", "c"))
    pks = list(run.children.values_list("pk", flat=True))
    Run.objects.transition(pks[0], to=Status.CANCELED)
    assert Run.objects.transition(*pks, to=Status.SKIPPED) == pks[1:]
    assert Run.objects.transition(*pks, to=Status.SKIPPED, was=Status.QUEUED) == []


def test_live_is_what_has_not_ended(actor, run):
    assert set(Run.objects.live()) == {run, run.children.get()}
    playing.play(run)
    assert not Run.objects.live()


def test_a_worker_lives_while_its_heartbeats_come_and_it_is_not_stopping():
    margin = timedelta(seconds=2)
    ages = {"new": timedelta(0), "late": SILENT - margin, "silent": SILENT + margin}
    for name, age in {**ages, "stopping": timedelta(0)}.items():
        Worker.objects.create(name=name, role="worker", host="h", pid=1)
        Worker.objects.filter(name=name).update(heartbeat_at=Now() - age)
    Worker.objects.filter(name="stopping").update(stopping_at=Now())
    living = Worker.objects.living().values_list("name", flat=True)
    assert set(living) == {"new", "late"}
