"""A run whose queue nobody serves says so wherever it is shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from runs import serving
from runs.models import Kind, Run, StepRun, Worker
from tests import factories
from tests.runs.shown import complete, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]

SAID = "No worker serves cpu-cluster"


def age(*runs, seconds=31):
    then = timezone.now() - timedelta(seconds=seconds)
    Run.objects.filter(root__in=runs).update(created_at=then, updated_at=then)
    for run in runs:
        run.refresh_from_db()


def worker(name="w", queues=("cpu-cluster",), **more):
    return Worker.objects.create(
        name=name, role="worker", host="h", pid=1, queues=list(queues), **more
    )


def waits(run):
    return serving.unserved([run]).get(run.pk, [])


def test_it_is_unserved_after_half_a_minute_without_a_worker(run):
    assert waits(run) == []
    age(run, seconds=20)
    assert waits(run) == []
    age(run)
    assert waits(run) == ["cpu-cluster"]
    step = run.children.get(status="Queued")
    assert waits(step) == ["cpu-cluster"]
    assert waits(run.children.get(status="NotStarted")) == []
    StepRun.objects.filter(pk=step.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert waits(run) == []  # it waits for its next attempt


def test_workers_that_serve_it(run):
    age(run)
    other = worker("other", ["gpu"], is_named=True)
    assert waits(run) == ["cpu-cluster"]
    everything = worker("all", [])  # it has not looked yet and will within seconds
    assert waits(run) == []
    Worker.objects.filter(pk=everything.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert waits(run) == ["cpu-cluster"]
    Worker.objects.filter(pk=other.pk).update(queues=["cpu-cluster"])
    assert waits(run) == []


def test_the_clock_process_serves_nothing(run):
    age(run)
    Worker.objects.create(name="c", role="control", host="h", pid=1)
    assert waits(run) == ["cpu-cluster"]


def test_a_run_that_is_over_or_new_asks_nothing(run, django_assert_num_queries):
    with django_assert_num_queries(0):
        serving.unserved([run])
    complete(run)
    age(run)
    with django_assert_num_queries(0):
        serving.unserved([run])


def test_rows_say_so(page, client, run):
    age(run)
    for name, arguments in (
        ("runs:run-list", ()),
        ("endpoints:endpoint-runs", [run.endpoint.uuid]),
    ):
        page("run-list")
        assert SAID in client.get(reverse(name, args=arguments)).content.decode()
    assert SAID in page("home-running")
    worker()
    assert SAID not in page("run-list")


def test_a_page_of_waiting_runs_costs_one_query_more(page, client, actor, workspace):
    endpoint = factories.endpoint(workspace, "many")

    def count(runs: int) -> int:
        age(*[submit(actor, endpoint) for _ in range(runs)])
        page("run-list")
        with CaptureQueriesContext(connection) as queries:
            assert page("run-list").count(SAID) == Run.objects.filter(kind=Kind.PIPELINE).count()
        return len(queries)

    assert count(3) == count(27)
