"""Files of a run that are stored, and replaced, at the same moment as an attempt is lost (PostgreSQL)."""

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from runs import engine, services
from runs.models import Artifact, Outcome, ReplacedArtifact, Run
from runs.tracking import artifacts
from studio.storage.store import studio_store
from tests.runs import playing
from tests.runs.test_replaced_artifacts import PATH, Attempt, shown
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(actor, storage_folder):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    return playing.start(actor, steps=["one", "two"])


def upload(actor, run, words: str) -> None:
    services.keep_artifact(actor, run, path=PATH, stream=io.BytesIO(words.encode()))


def meanwhile(first, second) -> None:
    """Do `second` while the transaction of `first` is not committed yet."""
    written, tried = Event(), Event()

    def hold():
        try:
            with transaction.atomic():
                first()
                written.set()
                tried.wait(1)
        finally:
            written.set()
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(hold)
        written.wait(10)
        second()
        tried.set()
        held.result(10)


def test_a_lost_attempt_s_file_that_another_is_replacing_does_not_come_back(run):
    one, two = Attempt(), Attempt()
    upload(one.actor, run, "one")
    meanwhile(
        lambda: upload(two.actor, run, "two"),
        lambda: engine.finish(one.claim, Outcome.LOST),
    )
    assert shown(run) == "two"
    assert not ReplacedArtifact.objects.exists()
    engine.finish(two.claim, Outcome.LOST)
    assert not Artifact.objects.exists()


def test_a_person_s_first_file_comes_back_when_an_attempt_stores_it_at_once(run):
    attempt, words = Attempt(), b"a person's"
    blob = artifacts.blob_of(run.uuid, PATH)
    studio_store().write_bytes(blob, words)
    meanwhile(
        lambda: artifacts.record_artifact(run.pk, path=PATH, blob=blob, size=len(words)),
        lambda: upload(attempt.actor, run, "the attempt's"),
    )
    engine.finish(attempt.claim, Outcome.LOST)
    assert shown(run) == "a person's"


def test_a_lost_attempt_locks_the_run_above_before_its_step(run):
    """As whoever reports on it does; otherwise each could hold what the other one waits for."""
    one = Attempt()
    upload(one.actor, run, "one")

    def lose():
        engine.finish(one.claim, Outcome.LOST)
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=run.pk)
            lost = threads.submit(lose)
            wait_for(is_waited_for, what="the end waits for the run")
            Run.objects.select_for_update(nowait=True).get(pk=one.claim.step_id)
        lost.result(10)
    assert shown(run) is None


def is_waited_for() -> bool:
    """Whether another connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0] > 0
