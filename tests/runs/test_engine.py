"""The engine, played with a loop and no queue."""

import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connections, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs import engine, services
from runs.engine import worker_names as names
from runs.engine.recover import _held_steps, _show_not_responding
from runs.models import Outcome, Run, StatusChange, StepAttempt, StepRun, Worker
from runs.querysets import LOST
from runs.states import TERMINAL, Status
from tests import factories
from tests.runs import playing

DIAMOND = {
    "steps": ("a", "b", "c", "d"),
    "edges": (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")),
}


@pytest.mark.django_db
class TestRuns:
    def test_a_run_ends_when_its_steps_have(self, actor):
        run = playing.start(actor, **DIAMOND)
        done = playing.play(run)
        assert done[0] == "a"
        assert done[-1] == "d"
        assert run.status == Status.COMPLETED
        assert set(playing.statuses(run).values()) == {Status.COMPLETED}

    def test_only_steps_without_parents_wait_for_a_worker_at_first(self, actor):
        run = playing.start(actor, **DIAMOND)
        assert playing.statuses(run)["a"] == Status.QUEUED
        assert playing.statuses(run)["d"] == Status.NOT_STARTED

    def test_the_first_failure_cancels_the_rest(self, actor):
        run = playing.start(actor, steps=("bad", "held", "waiting"), edges=(("held", "waiting"),))
        bad, held = playing.take(), playing.take()
        engine.finish(bad, Outcome.FAILED, error="ValueError: boom")
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.RUNNING
        assert playing.statuses(run) == {
            "bad": Status.FAILED,
            "held": Status.CANCEL_REQUESTED,
            "waiting": Status.CANCELED,
        }
        engine.finish(held, Outcome.CANCELED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.FAILED
        assert run.error == "Step bad failed: ValueError: boom"

    def test_continuing_on_failure_skips_what_is_downstream_only(self, actor):
        run = playing.start(
            actor,
            steps=("bad", "child", "grandchild", "other"),
            edges=(("bad", "child"), ("child", "grandchild")),
            continue_on_step_failure=True,
        )
        playing.play(run, {"bad": [Outcome.FAILED]})
        assert playing.statuses(run) == {
            "bad": Status.FAILED,
            "child": Status.SKIPPED,
            "grandchild": Status.SKIPPED,
            "other": Status.COMPLETED,
        }
        assert run.status == Status.FAILED

    def test_a_step_canceled_while_it_completed_is_canceled(self, actor):
        run = playing.start(actor)
        claim = playing.take()
        services.cancel(actor, run)
        assert engine.finish(claim, Outcome.COMPLETED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.CANCELED
        assert playing.statuses(run) == {"one": Status.CANCELED}

    def test_children_of_one_queue_are_counted_for_the_bell(self, actor):
        run = playing.start(actor, **DIAMOND)
        claim = playing.take()
        engine.finish(claim, Outcome.COMPLETED)
        assert engine.advance(run.pk) == {"cpu-cluster": 2}
        assert engine.advance(run.pk) == {}


@pytest.mark.django_db
class TestAttempts:
    def test_a_failure_is_tried_again_after_a_pause_that_doubles(self, actor):
        run = playing.start(actor)
        StepRun.objects.update(retries=2, retry_delay_seconds=3)
        for pause in (3, 6):
            finished = engine.finish(playing.take(), Outcome.FAILED, error="no")
            assert finished.retry_seconds == pause
            assert playing.take() is None
            StepRun.objects.update(not_before=timezone.now())
        assert playing.play(run, {"one": [Outcome.FAILED]}) == ["one"]
        assert run.status == Status.FAILED
        assert StepAttempt.objects.count() == 3

    def test_a_time_out_is_tried_again_too(self, actor):
        playing.start(actor)
        StepRun.objects.update(retries=1)
        assert engine.finish(playing.take(), Outcome.TIMED_OUT).retry_seconds == 1

    def test_an_interruption_uses_up_no_retry(self, actor):
        run = playing.start(actor)
        done = playing.play(run, {"one": [Outcome.INTERRUPTED, Outcome.INTERRUPTED]})
        assert done == ["one"] * 3
        assert run.status == Status.COMPLETED
        assert StepRun.objects.get().retries_used == 0

    def test_an_attempt_that_was_superseded_writes_nothing(self, actor):
        run = playing.start(actor)
        old = playing.take()
        engine.finish(old, Outcome.LOST)
        new = playing.take("worker-2")
        assert new.attempt == old.attempt + 1
        assert not engine.finish(old, Outcome.COMPLETED)
        assert not engine.finish(old, Outcome.FAILED, error="late")
        assert engine.finish(new, Outcome.COMPLETED)
        assert not engine.finish(new, Outcome.COMPLETED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.COMPLETED

    @pytest.mark.parametrize("late", list(Outcome))
    def test_a_worker_that_was_paused_cannot_end_a_step_that_is_queued_again(self, actor, late):
        run = playing.start(actor)
        for _ in range(2):  # two pauses, of which neither counts
            claim = playing.take()
            engine.finish(claim, Outcome.LOST, error="silent")
            assert playing.statuses(run) == {"one": Status.QUEUED}
            assert not engine.finish(claim, late, error="late")
            assert playing.statuses(run) == {"one": Status.QUEUED}
            outcome = StepAttempt.objects.get(number=claim.attempt).outcome
            # Only recover says Lost; whoever says anything else lives.
            assert outcome == (Outcome.LOST if late == Outcome.LOST else Outcome.INTERRUPTED)
            if late == Outcome.LOST:
                return
        assert playing.play(run) == ["one"]
        assert run.status == Status.COMPLETED

    @pytest.mark.parametrize("end", [Outcome.INTERRUPTED, Outcome.LOST, Outcome.FAILED])
    def test_what_was_asked_to_end_is_canceled_however_it_ends(self, actor, end):
        run = playing.start(actor)
        claim = playing.take()
        services.cancel(actor, run)
        assert engine.finish(claim, end)
        assert playing.statuses(run) == {"one": Status.CANCELED}

    def test_what_a_completion_makes_visible_is_written_with_it_or_not_at_all(self, actor):
        made = []

        def on_complete():
            made.append(True)
            return {"outputs": {"made": {"datastore": "d", "path": "p"}}}

        run = playing.start(actor)
        lost = playing.take()
        engine.finish(lost, Outcome.LOST)
        assert not engine.finish(lost, Outcome.COMPLETED, on_complete=on_complete)
        canceled = playing.start(actor)
        claim = playing.take()
        assert claim.run_id == run.pk
        assert engine.finish(claim, Outcome.COMPLETED, on_complete=on_complete)
        assert StepRun.objects.get(run__parent=run).outputs["made"]["path"] == "p"
        claim = playing.take()
        services.cancel(actor, canceled)
        assert engine.finish(claim, Outcome.COMPLETED, on_complete=on_complete)
        assert made == [True]

    def test_a_claim_takes_the_oldest_step_of_its_queue(self, actor):
        factories.ComputeTarget.objects.create(workspace=actor.workspace, name="gpu")
        first, second = playing.start(actor), playing.start(actor)
        assert engine.claim("w", ["gpu"]) is None
        assert playing.take().run_id == first.pk
        assert playing.take().run_id == second.pk
        assert playing.take() is None


def worker(name: str, *, silent_seconds: float = 0) -> Worker:
    return Worker.objects.create(
        name=name,
        role="worker",
        host="here",
        pid=1,
        queues=["cpu-cluster"],
        heartbeat_at=timezone.now() - timedelta(seconds=silent_seconds),
    )


@pytest.mark.django_db
class TestRecover:
    def test_a_silent_worker_loses_its_attempt_and_the_step_gets_another(self, actor):
        run = playing.start(actor)
        playing.take("gone")
        worker("gone", silent_seconds=31)
        assert engine.recover() == {"cpu-cluster": 1}
        attempt = StepAttempt.objects.get()
        assert attempt.outcome == Outcome.LOST
        assert playing.play(run) == ["one"]
        assert run.status == Status.COMPLETED

    def test_a_paused_worker_of_this_machine_is_not_lost(self, actor):
        """However often: its process is there, and says nothing."""
        run = playing.start(actor)
        for _ in range(3):
            name = names.name_of_this_process()
            playing.take(name)
            worker(name, silent_seconds=31)
            assert engine.recover() == {"cpu-cluster": 1}
        assert {attempt.outcome for attempt in StepAttempt.objects.all()} == {Outcome.INTERRUPTED}
        assert playing.play(run) == ["one"]
        assert run.status == Status.COMPLETED

    def test_after_a_pause_of_its_own_it_listens_before_it_judges(self, actor):
        listener = engine.Listener()
        playing.start(actor)
        playing.take("here")
        worker("here")
        asleep = timedelta(seconds=40)
        assert engine.recover(listener=listener) == {}
        # All were paused together: the worker's last word is as old as recover's.
        Worker.objects.update(heartbeat_at=timezone.now() - asleep)
        listener.heard_at -= asleep
        assert engine.recover(listener=listener) == {}
        assert StepAttempt.objects.get().finished_at is None
        listener.again_at -= LOST
        assert engine.recover(listener=listener) == {"cpu-cluster": 1}

    def test_a_worker_that_was_heard_keeps_its_attempt(self, actor):
        playing.start(actor)
        playing.take("here")
        worker("here", silent_seconds=25)
        assert engine.recover() == {}
        assert StepAttempt.objects.get().finished_at is None

    def test_a_step_that_loses_two_workers_fails(self, actor):
        run = playing.start(actor)
        for name in ("first", "second"):
            playing.take(name)
            engine.recover()
        run.refresh_from_db()
        assert run.status == Status.FAILED
        assert "second fell silent" in run.error

    def test_queued_steps_are_rung_for_again(self, actor):
        playing.start(actor, steps=("a", "b"))
        assert engine.recover() == {"cpu-cluster": 2}
        StepRun.objects.update(not_before=timezone.now() + timedelta(minutes=1))
        assert engine.recover() == {}

    def test_an_end_nobody_followed_up_is_followed_up(self, actor):
        run = playing.start(actor, steps=("a", "b"), edges=(("a", "b"),))
        engine.finish(playing.take(), Outcome.COMPLETED)
        assert engine.recover() == {"cpu-cluster": 1}
        worker("worker-1")
        engine.finish(playing.take(), Outcome.COMPLETED)
        engine.recover()
        run.refresh_from_db()
        assert run.status == Status.COMPLETED

    def test_a_cancel_that_is_not_obeyed_is_carried_out(self, actor):
        run = playing.start(actor)
        playing.take("worker-1")
        worker("worker-1")
        services.cancel(actor, run)
        engine.recover()
        run.refresh_from_db()
        assert run.status == Status.CANCEL_REQUESTED
        engine.recover(timezone.now() + timedelta(seconds=70))
        run.refresh_from_db()
        assert run.status == Status.CANCELED

    def test_a_run_past_its_time_fails(self, actor):
        run = playing.start(actor, steps=("a", "b"), edges=(("a", "b"),), timeout_seconds=60)
        engine.recover(timezone.now() + timedelta(seconds=59))
        run.refresh_from_db()
        assert run.status == Status.NOT_STARTED
        engine.recover(timezone.now() + timedelta(seconds=61))
        run.refresh_from_db()
        assert (run.status, run.error_code) == (Status.FAILED, "TimedOut")

    def test_old_rows_of_workers_are_removed(self, db):
        worker("old", silent_seconds=3700)
        worker("new")
        engine.recover()
        assert [row.name for row in Worker.objects.all()] == ["new"]


HELD = (Status.PREPARING, Status.RUNNING, Status.FINALIZING)


def hear(name: str, *, silent_seconds: float = 0) -> None:
    Worker.objects.filter(name=name).update(heartbeat_at=Now() - timedelta(seconds=silent_seconds))


def past(step_id: int) -> list[str]:
    """The statuses of a step since its worker claimed it."""
    changes = StatusChange.objects.filter(run=step_id).order_by("pk")
    words = [(change.from_status, change.to_status) for change in changes]
    assert all(before[1] == after[0] for before, after in pairwise(words))
    statuses = [status for _, status in words]
    return statuses[statuses.index(Status.PREPARING) :]


@pytest.mark.django_db
class TestSilence:
    @pytest.fixture
    def run(self, actor) -> Run:
        return playing.start(actor)

    @pytest.fixture
    def claim(self, run) -> engine.Claim:
        worker("worker-1")
        return playing.take()

    def reach(self, claim, status: Status) -> None:
        """Let the worker report on its step until it has this status."""
        for to in HELD[1 : HELD.index(status) + 1]:
            assert Run.objects.transition(claim.step_id, to=to, attempt=claim.attempt)

    @pytest.mark.parametrize("status", HELD)
    def test_a_step_does_not_respond_while_its_worker_is_silent(self, run, claim, status):
        self.reach(claim, status)
        hear(claim.worker, silent_seconds=25)
        assert engine.recover() == {}
        assert playing.statuses(run) == {"one": Status.NOT_RESPONDING}
        run.refresh_from_db()
        assert run.status == Status.RUNNING
        hear(claim.worker)
        engine.recover()
        assert playing.statuses(run) == {"one": status}
        assert past(claim.step_id)[-3:] == [status, Status.NOT_RESPONDING, status]
        engine.finish(claim, Outcome.COMPLETED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.COMPLETED
        assert StepAttempt.objects.get().outcome == Outcome.COMPLETED

    def test_late_heartbeats_are_no_silence(self, run, claim):
        hear(claim.worker, silent_seconds=18)
        engine.recover()
        assert playing.statuses(run) == {"one": Status.PREPARING}

    def test_after_the_silence_the_step_is_lost(self, run, claim):
        for seconds in (25, 31):
            hear(claim.worker, silent_seconds=seconds)
            engine.recover()
        assert past(claim.step_id) == [Status.PREPARING, Status.NOT_RESPONDING, Status.QUEUED]
        assert StepAttempt.objects.get().outcome == Outcome.LOST
        assert playing.play(run) == ["one"]
        assert run.status == Status.COMPLETED

    def test_each_silence_is_written_once(self, run, claim):
        with CaptureQueriesContext(connections["default"]) as at_rest:
            engine.recover()
        hear(claim.worker, silent_seconds=25)
        engine.recover()
        with CaptureQueriesContext(connections["default"]) as silent:
            engine.recover()
        assert len(silent) == len(at_rest)
        hear(claim.worker)
        engine.recover()
        assert len(past(claim.step_id)) == 3

    def test_who_was_paused_itself_calls_nobody_silent(self, run, claim):
        listener = engine.Listener()
        engine.recover(listener=listener)
        listener.heard_at -= LOST
        hear(claim.worker, silent_seconds=25)
        engine.recover(listener=listener)
        assert playing.statuses(run) == {"one": Status.PREPARING}

    def test_a_step_that_was_asked_to_cancel_stays_so(self, actor, run, claim):
        services.cancel(actor, run)
        hear(claim.worker, silent_seconds=25)
        engine.recover()
        assert playing.statuses(run) == {"one": Status.CANCEL_REQUESTED}

    def test_a_step_that_does_not_respond_can_be_canceled(self, actor, run, claim):
        hear(claim.worker, silent_seconds=25)
        engine.recover()
        services.cancel(actor, run)
        assert playing.statuses(run) == {"one": Status.CANCEL_REQUESTED}
        hear(claim.worker)
        engine.recover()
        assert playing.statuses(run) == {"one": Status.CANCEL_REQUESTED}
        engine.finish(claim, Outcome.CANCELED)
        engine.advance(run.pk)
        assert playing.statuses(run) == {"one": Status.CANCELED}

    @pytest.mark.parametrize(
        ("outcome", "end"),
        [
            (Outcome.COMPLETED, Status.COMPLETED),
            (Outcome.FAILED, Status.FAILED),
            (Outcome.TIMED_OUT, Status.FAILED),
            (Outcome.INTERRUPTED, Status.QUEUED),
        ],
    )
    @pytest.mark.parametrize("is_written", [True, False])
    def test_a_worker_may_end_a_step_that_is_shown_as_not_responding(
        self, run, claim, outcome, end, is_written
    ):
        started = timezone.now()
        if is_written:  # else the end writes the start, too
            self.reach(claim, Status.RUNNING)
        hear(claim.worker, silent_seconds=25)
        engine.recover()
        running_since = None if is_written else started
        assert engine.finish(claim, outcome, error="x", running_since=running_since)
        if is_written:
            between = [Status.RUNNING, Status.NOT_RESPONDING]
        else:
            between = [Status.NOT_RESPONDING, Status.RUNNING]
        assert past(claim.step_id) == [Status.PREPARING, *between, end]
        step = run.children.get()
        assert step.started_at
        assert step.finished_at is None or step.started_at <= step.finished_at

    def test_what_recover_found_before_a_pause_does_not_mark_the_next_attempt(self, run, claim):
        hear(claim.worker, silent_seconds=25)
        _lost, silent, _heard = _held_steps(LOST)
        engine.finish(claim, Outcome.INTERRUPTED)
        assert playing.take().attempt == claim.attempt + 1
        _show_not_responding(silent)
        assert playing.statuses(run) == {"one": Status.PREPARING}


def test_recover_does_not_wait_for_a_worker_that_froze_within_a_transaction(database_of_threads):
    if connections["default"].vendor == "sqlite":
        pytest.skip("its lock is one for all rows")
    run = playing.start(factories.actor(factories.workspace()), steps=("frozen", "other"))
    worker("worker-1")
    frozen, _other = playing.take(), playing.take()
    hear("worker-1", silent_seconds=25)
    is_locked, is_over = threading.Event(), threading.Event()

    def freeze():
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=frozen.step_id)
            is_locked.set()
            assert is_over.wait(10)
        connections.close_all()

    thread = threading.Thread(target=freeze)
    thread.start()
    assert is_locked.wait(5)
    try:
        engine.recover()
    finally:
        is_over.set()
        thread.join()
    assert playing.statuses(run) == {"frozen": Status.PREPARING, "other": Status.NOT_RESPONDING}
    engine.recover()
    assert set(playing.statuses(run).values()) == {Status.NOT_RESPONDING}


@pytest.mark.django_db
class TestReuse:
    @pytest.fixture
    def graph(self, workspace):
        return factories.graph(
            workspace,
            steps=("a", "b"),
            edges=(("a", "b"),),
            parameters=[{"Name": "lr", "DefaultValue": "1", "IsOptional": True, "Type": "0"}],
        )

    @staticmethod
    def decide(claim):
        from runs.engine.claimed_step import decide, load  # noqa: PLC0415

        job = load(claim)
        reused = decide(job)
        if not reused:
            changes = job.changes
            engine.finish(claim, Outcome.COMPLETED, may_be_reused=True, step_changes=changes)
        engine.advance(claim.run_id)
        return reused

    def play(self, run):
        reused = []
        while (claim := playing.take()) is not None:
            reused.append(self.decide(claim))
        run.refresh_from_db()
        assert run.status == Status.COMPLETED
        return reused

    def test_the_same_again_is_reused_and_says_so(self, actor, graph):
        first = playing.start(actor, graph=graph)
        assert self.play(first) == [False, False]
        second = playing.start(actor, graph=graph)
        assert self.play(second) == [True, True]
        step = StepRun.objects.get(run__parent=second, run__name="a")
        assert step.reused_from.run.parent == first
        assert step.reuse_reason.startswith("Reused: ")
        assert step.run.properties["azureml.reusedrunid"] == str(step.reused_from.run.uuid)

    def test_a_third_run_reuses_the_one_that_ran(self, actor, graph):
        first = playing.start(actor, graph=graph)
        self.play(first)
        for _ in range(2):
            again = playing.start(actor, graph=graph)
            self.play(again)
            steps = StepRun.objects.filter(run__parent=again)
            assert {step.reused_from.run.parent_id for step in steps} == {first.pk}

    def test_regenerating_runs_and_says_so(self, actor, graph):
        self.play(playing.start(actor, graph=graph))
        run = playing.start(actor, graph=graph, regenerate_outputs=True)
        assert self.play(run) == [False, False]
        step = StepRun.objects.filter(run__parent=run).first()
        assert step.reuse_reason == "Ran because its outputs were to be made again."

    def test_a_step_that_may_not_be_reused_is_not(self, actor, workspace):
        graph = factories.graph(workspace)
        factories.Module.objects.update(is_deterministic=False)
        for _ in range(2):
            assert self.play(playing.start(actor, graph=graph)) == [False]

    def test_the_reason_names_what_changed(self, actor, workspace):
        interface = {
            "Inputs": [],
            "Outputs": [],
            "Parameters": [{"Name": "lr", "DefaultValue": "1"}],
            "MetadataParameters": [],
            "Arguments": [],
        }
        graph = factories.graph(
            workspace,
            parameters=[{"Name": "lr", "DefaultValue": "1", "IsOptional": True, "Type": "0"}],
        )
        factories.Module.objects.update(structured_interface=interface)
        node = graph.wire["ModuleNodes"][0]
        node["ModuleParameters"].append({"Name": "lr", "Value": "lr", "ValueType": "1"})
        graph.save()
        self.play(playing.start(actor, graph=graph))
        run = playing.start(actor, graph=graph, assignments={"lr": 2})
        assert self.play(run) == [False]
        step = StepRun.objects.get(run__parent=run)
        assert step.reuse_reason == "Ran because parameter lr changed."


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 7))
    names = [f"s{number}" for number in range(size)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return tuple(names), tuple(edges)


@pytest.mark.django_db
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    drawn=graphs(),
    goes_on=st.booleans(),
    ends=st.lists(st.sampled_from(list(Outcome)), max_size=20),
    late=st.randoms(use_true_random=False),
)
def test_every_step_ends_and_order_respects_edges(actor, drawn, goes_on, ends, late):
    """Whatever the graph, whatever happens to attempts, with ends delivered twice and late."""
    with transaction.atomic():
        play_badly(actor, *drawn, goes_on=goes_on, ends=list(ends), late=late)
        transaction.set_rollback(True)  # each example starts from nothing


def play_badly(actor, steps, edges, *, goes_on, ends, late):
    run = playing.start(actor, steps=steps, edges=edges, continue_on_step_failure=goes_on)
    parents = {name: {a for a, b in edges if b == name} for name in steps}
    old = []
    while (claim := playing.take()) is not None:
        known = playing.statuses(run)
        assert all(known[parent] == Status.COMPLETED for parent in parents[playing.name_of(claim)])
        if old and late.random() < 0.5:
            assert not engine.finish(late.choice(old), late.choice(list(Outcome)))
        engine.finish(claim, ends.pop() if ends else Outcome.COMPLETED)
        old.append(claim)
        for _ in range(late.randint(1, 2)):
            engine.advance(run.pk)
    run.refresh_from_db()
    assert run.status in TERMINAL
    assert set(playing.statuses(run).values()) <= TERMINAL
    assert not StepAttempt.objects.filter(finished_at=None).exists()


def test_many_threads_claim_each_step_once(file_database):
    actor = factories.actor(factories.workspace())
    run = playing.start(actor, steps=tuple(f"s{number}" for number in range(20)))
    claims, errors = [], []

    def work(name):
        try:
            while (claim := playing.take(name)) is not None:
                claims.append(claim)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len({claim.step_id for claim in claims}) == len(claims) == 20
    assert StepAttempt.objects.count() == 20
    assert Run.objects.filter(parent=run, status=Status.PREPARING).count() == 20


def test_a_worker_that_goes_on_while_its_loss_is_written_has_lost_its_attempt(database_of_threads):
    """Else the step would run on without an attempt, and hang when that worker dies."""
    run = playing.start(factories.actor(factories.workspace()))
    claim = playing.take()
    has_written = threading.Event()

    def go_on():
        with transaction.atomic():
            at = {"was": Status.PREPARING, "attempt": claim.attempt}
            Run.objects.transition(claim.step_id, to=Status.RUNNING, **at)
            has_written.set()
            time.sleep(0.3)  # meanwhile the other one waits for this
        connections.close_all()

    thread = threading.Thread(target=go_on)
    thread.start()
    assert has_written.wait(5)
    engine.finish(claim, Outcome.LOST)
    thread.join()
    assert set(playing.statuses(run).values()) == {Status.QUEUED}
    assert StepAttempt.objects.get().outcome == Outcome.LOST
