"""A file that an attempt replaced comes back if the attempt is lost, and goes once it ends."""

import io
from datetime import timedelta

import pytest
from django.test import TestCase
from django.utils import timezone

from runs import engine, run_tokens, services
from runs.models import Artifact, Outcome, ReplacedArtifact, Run
from runs.tracking import replaced_artifacts
from studio.core import tokens
from studio.core.access import system_actor
from studio.core.errors import Conflict
from studio.storage.store import studio_store
from tests.runs import playing

pytestmark = pytest.mark.django_db

PATH = "outputs/a.txt"


@pytest.fixture(autouse=True)
def _commits():
    """Files are removed after commits."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


@pytest.fixture
def run(actor, storage_folder):
    return playing.start(actor, steps=["one", "two"])


class Attempt:
    def __init__(self):
        self.claim = playing.take()
        step = Run.objects.get(pk=self.claim.step_id)
        self.actor = run_tokens.reader(tokens.decode(run_tokens.make(step)[0]))

    def end(self, outcome: Outcome) -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert engine.finish(self.claim, outcome)


def upload(actor, run, words: str) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        services.keep_artifact(actor, run, path=PATH, stream=io.BytesIO(words.encode()))


def shown(run) -> str | None:
    """The content of the run's file."""
    found = Artifact.objects.filter(run=run).values_list("blob", "size").first()
    if found is None:
        return None
    words = studio_store().open(found[0]).read().decode()
    assert len(words) == found[1]
    return words


def stored(run) -> list[str]:
    return sorted(studio_store().names(f"runs/{run.uuid}"))


def clean_up(hours: float = 2) -> None:
    for act in (replaced_artifacts.clean_up, engine.clean_up):
        act(timezone.now() + timedelta(hours=hours))


def test_a_person_s_file_comes_back_from_a_lost_attempt(run):
    upload(system_actor(run.workspace), run, "a person's")
    before = (list(Artifact.objects.values("blob", "attempt", "created_at")), stored(run))
    attempt = Attempt()
    for words in ("first", "second"):
        upload(attempt.actor, run, words)
        assert shown(run) == words
    attempt.end(Outcome.LOST)
    assert shown(run) == "a person's"
    assert (list(Artifact.objects.values("blob", "attempt", "created_at")), stored(run)) == before
    assert not ReplacedArtifact.objects.exists()


def test_another_step_s_file_comes_back_from_a_lost_attempt(run):
    one, two = Attempt(), Attempt()
    upload(one.actor, run, "one")
    one.end(Outcome.COMPLETED)
    upload(two.actor, run, "two")
    two.end(Outcome.INTERRUPTED)
    assert shown(run) == "one"
    again = Attempt()
    upload(again.actor, run, "again")
    again.end(Outcome.COMPLETED)
    assert shown(run) == "again"


@pytest.mark.parametrize("is_lost", ["under", "over", "under, over", "over, under"])
def test_lost_attempts_leave_the_files_of_the_others(run, is_lost):
    upload(system_actor(run.workspace), run, "a person's")
    attempts = {"under": Attempt(), "over": Attempt()}
    for name, attempt in attempts.items():
        upload(attempt.actor, run, name)
    lost = is_lost.split(", ")
    for name in lost:
        attempts[name].end(Outcome.LOST)
    left = [name for name in attempts if name not in lost]
    assert shown(run) == (left[-1] if left else "a person's")
    for name in left:
        attempts[name].end(Outcome.COMPLETED)
    playing.play(run)
    clean_up()
    assert len(stored(run)) == 1
    assert not ReplacedArtifact.objects.exists()


@pytest.mark.parametrize("lost", ["one", "two"])
def test_two_attempts_may_replace_each_other_in_turn(run, lost):
    upload(system_actor(run.workspace), run, "a person's")
    attempts = {"one": Attempt(), "two": Attempt()}
    for name in ("one", "two", "one", "two"):
        upload(attempts[name].actor, run, name)
        assert shown(run) == name
    other = {"one": "two", "two": "one"}[lost]
    attempts[lost].end(Outcome.LOST)
    assert shown(run) == other
    attempts[other].end(Outcome.LOST)
    assert shown(run) == "a person's"


def test_what_a_person_stored_since_stays(run):
    upload(system_actor(run.workspace), run, "a person's")
    attempt = Attempt()
    upload(attempt.actor, run, "the attempt's")
    upload(system_actor(run.workspace), run, "newer")
    assert not ReplacedArtifact.objects.exists()
    attempt.end(Outcome.LOST)
    assert shown(run) == "newer"


def test_a_replaced_file_goes_an_hour_after_the_step(run):
    upload(system_actor(run.workspace), run, "a person's")
    attempt = Attempt()
    upload(attempt.actor, run, "the attempt's")
    clean_up()
    assert len(stored(run)) == 2
    attempt.end(Outcome.COMPLETED)
    clean_up(0.5)
    assert len(stored(run)) == 2
    clean_up()
    assert shown(run) == "the attempt's"
    assert len(stored(run)) == 1
    assert not ReplacedArtifact.objects.exists()


def test_the_file_of_a_step_that_still_runs_stays(run):
    """It may store it again at this moment."""
    one, two = Attempt(), Attempt()
    upload(one.actor, run, "one")
    upload(two.actor, run, "two")
    two.end(Outcome.COMPLETED)
    clean_up()
    assert len(stored(run)) == 2
    upload(one.actor, run, "one")
    one.end(Outcome.LOST)
    assert shown(run) == "two"


def test_a_file_that_a_person_replaces_while_it_is_stored_again_is_not_removed(run):
    attempt = Attempt()
    upload(attempt.actor, run, "the attempt's")

    class Slow(io.BytesIO):
        def read(self, size=-1):
            if not self.tell():
                upload(system_actor(run.workspace), run, "a person's")
            return super().read(size)

    services.keep_artifact(attempt.actor, run, path=PATH, stream=Slow(b"newer"))
    assert shown(run) == "newer"
    attempt.end(Outcome.LOST)
    assert shown(run) == "a person's"


def test_a_replaced_file_that_a_person_stores_again_is_not_removed(run):
    """Its content is there a moment before its row is."""
    upload(system_actor(run.workspace), run, "a person's")
    attempt = Attempt()
    upload(attempt.actor, run, "the attempt's")
    attempt.end(Outcome.COMPLETED)
    now = timezone.now()
    Run.objects.filter(pk=attempt.claim.step_id).update(finished_at=now - timedelta(hours=2))
    replaced_artifacts.clean_up(now)
    assert len(stored(run)) == 2


def test_an_append_that_meets_a_replacement_goes_to_the_replaced_file(run):
    person = system_actor(run.workspace)
    upload(person, run, "a person's")
    attempt = Attempt()

    class Slow(io.BytesIO):
        def read(self, size=-1):
            if not self.tell():
                upload(attempt.actor, run, "the attempt's")
            return super().read(size)

    with TestCase.captureOnCommitCallbacks(execute=True):
        services.append_to_artifact(person, run, path=PATH, stream=Slow(b" and more"), at=None)
    assert shown(run) == "the attempt's"
    attempt.end(Outcome.LOST)
    assert shown(run) == "a person's and more"


@pytest.mark.django_db(transaction=True)
def test_an_append_to_a_file_that_a_person_has_replaced_is_refused(run):
    person = system_actor(run.workspace)
    attempt = Attempt()
    upload(attempt.actor, run, "the attempt's")

    class Slow(io.BytesIO):
        def read(self, size=-1):
            if not self.tell():
                upload(person, run, "a person's")
            return super().read(size)

    with pytest.raises(Conflict):
        services.append_to_artifact(
            attempt.actor, run, path=PATH, stream=Slow(b" and more"), at=None
        )
    assert shown(run) == "a person's"
