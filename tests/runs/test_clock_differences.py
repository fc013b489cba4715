"""The clocks of machines differ; the times of one run follow each other all the same."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from runs import engine
from runs.models import Outcome, Run, StepAttempt
from runs.services import cancel
from runs.states import Status
from tests.runs import playing

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def behind():
    """A machine whose clock is five minutes behind that of the one that made the run."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        yield


def assert_in_order(*runs: Run) -> None:
    for run in runs:
        run.refresh_from_db()
        assert run.created_at <= (run.started_at or run.created_at)
        assert run.finished_at >= (run.started_at or run.created_at)
        times = list(run.status_changes.order_by("pk").values_list("at", flat=True))
        assert times == sorted(times)
        assert times[0] >= run.created_at
        assert run.finished_at == times[-1]
    for attempt in StepAttempt.objects.all():
        assert attempt.finished_at >= attempt.started_at


@pytest.fixture
def run(actor):
    return playing.start(actor, steps=("one", "two"), edges=[("one", "two")])


@pytest.mark.parametrize("is_long", [True, False])
def test_of_a_run_that_a_machine_behind_did(run, behind, is_long):
    while claim := playing.take():
        running_since = timezone.now()
        if is_long:
            Run.objects.transition(claim.step_id, to=Status.RUNNING, at=running_since)
        engine.finish(claim, Outcome.COMPLETED, running_since=None if is_long else running_since)
        engine.advance(claim.run_id)
    run.refresh_from_db()
    assert run.status == Status.COMPLETED
    assert_in_order(run, *run.children.all())


def test_of_a_run_whose_next_attempt_is_on_a_machine_behind(run):
    first = playing.take("ahead")
    Run.objects.transition(first.step_id, to=Status.RUNNING, at=timezone.now() + 10 * SECOND)
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        engine.finish(first, Outcome.LOST)
        playing.play(run)
    assert run.status == Status.COMPLETED
    assert_in_order(run, *run.children.all())


def test_of_a_run_that_was_canceled_from_a_machine_behind(actor, run):
    claim = playing.take()
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        cancel(actor, run)
        engine.finish(claim, Outcome.CANCELED)
        engine.advance(run.pk)
    run.refresh_from_db()
    assert run.status == Status.CANCELED
    assert_in_order(run, *run.children.all())


def test_of_a_step_whose_clock_was_set_back_while_it_ran(run):
    claim = playing.take()
    engine.finish(claim, Outcome.FAILED, running_since=timezone.now() + 10 * SECOND)
    engine.advance(run.pk)
    run.refresh_from_db()
    assert_in_order(run, *run.children.all())


def test_the_reason_of_an_end_is_not_that_of_the_start_that_is_written_with_it(run):
    claim = playing.take()
    engine.finish(claim, Outcome.FAILED, error="ValueError: no", running_since=timezone.now())
    changes = run.children.get(pk=claim.step_id).status_changes.order_by("pk")
    assert list(changes.values_list("to_status", "reason"))[-2:] == [
        (Status.RUNNING, ""),
        (Status.FAILED, "ValueError: no"),
    ]
