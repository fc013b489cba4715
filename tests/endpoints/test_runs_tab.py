"""The Runs tab: tiles that filter, and the chart with the same facts in a table."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from runs.models import Experiment, Kind, PipelineRun, Run
from runs.parts import history
from runs.states import TERMINAL, Status
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace):
    return factories.endpoint(workspace, "train")


@pytest.fixture
def run_of(workspace, endpoint):
    experiment = Experiment.objects.create(workspace=workspace, name="first")

    def make(status, *, seconds=60, started=True, **more):
        at = timezone.now() - timedelta(hours=1)
        run = Run.objects.create(
            workspace=workspace,
            experiment=experiment,
            kind=Kind.PIPELINE,
            status=status,
            display_name=f"run_{status}",
            endpoint=endpoint,
            endpoint_version=0,
            pipeline=endpoint.default_version.pipeline,
            started_at=at if started else None,
            finished_at=at + timedelta(seconds=seconds) if status in TERMINAL else None,
            **more,
        )
        PipelineRun.objects.create(run=run, graph=endpoint.default_version.pipeline.graph)
        return run

    return make


def page_of(client, endpoint, query=""):
    return client.get(reverse("endpoints:endpoint-runs", args=[endpoint.uuid]) + query)


def test_tiles_count_and_together_are_all_there_is(client, endpoint, as_role, run_of):
    as_role()
    shown = [status for status in Status if status != Status.SKIPPED]  # steps alone are skipped
    for status in shown:
        run_of(status)
    tiles = {tile["key"]: tile["count"] for tile in page_of(client, endpoint).context["tiles"]}
    assert tiles == {"running": 1, "completed": 1, "failed": 1, "other": len(shown) - 3}


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("running", {"run_Running"}),
        ("failed", {"run_Failed"}),
        ("other", {"run_Queued", "run_Canceled"}),
        ("nonsense", {"run_Running", "run_Failed", "run_Queued", "run_Canceled"}),
    ],
)
def test_a_tile_filters_the_table(client, endpoint, as_role, run_of, key, names):
    as_role()
    for status in (Status.RUNNING, Status.FAILED, Status.QUEUED, Status.CANCELED):
        run_of(status)
    reply = page_of(client, endpoint, f"?status={key}")
    assert {str(run) for run in reply.context["page"]} == names
    if key != "nonsense":
        assert f'id="tile-{key}" href="?" aria-current="true"' in reply.content.decode()


def test_a_state_that_no_run_is_in_leads_back_to_all(client, endpoint, as_role, run_of):
    as_role()
    run_of(Status.COMPLETED)
    text = page_of(client, endpoint, "?status=failed").content.decode()
    assert "No run is in this state." in text
    assert "Show all runs" in text


def test_a_tab_without_runs_has_neither_tiles_nor_chart(client, endpoint, as_role):
    as_role()
    text = page_of(client, endpoint).content.decode()
    assert "No run yet" in text
    assert 'class="tiles"' not in text
    assert "<figure" not in text


def test_every_point_is_a_link_and_a_row(client, endpoint, as_role, run_of):
    as_role()
    good, bad = run_of(Status.COMPLETED, seconds=90), run_of(Status.FAILED, seconds=5)
    waiting = run_of(Status.QUEUED, started=False)
    text = page_of(client, endpoint).content.decode()
    chart, table = text[text.index("<figure") :].split("</figure>")
    table = table[: table.index("</details>")]
    for run in (good, bad):
        assert chart.count(run.get_absolute_url()) == 1
        assert table.count(run.get_absolute_url()) == 1
    assert waiting.get_absolute_url() not in chart + table
    assert "1m 30s" in chart
    assert "1m 30s" in table
    assert "style=" not in chart
    assert 'aria-hidden="true"' in chart  # the table says the same


def test_decimals_of_the_drawing_know_no_language(client, endpoint, as_role, run_of):
    as_role()
    for seconds in (1, 2.5, 7):
        run_of(Status.COMPLETED, seconds=seconds)
    route = reverse("endpoints:endpoint-runs", args=[endpoint.uuid])
    text = client.get(route, headers={"Accept-Language": "ko"}).content.decode()
    assert 'cy="12.50%"' in text


def test_the_tab_costs_the_same_however_long_the_history(
    client, endpoint, as_role, run_of, monkeypatch
):
    as_role()
    monkeypatch.setattr(history, "RECENT", 5)
    costs = []
    for _ in range(2):
        for _ in range(8):
            run_of(Status.COMPLETED)
        page_of(client, endpoint)
        with CaptureQueriesContext(connection) as queries:
            reply = page_of(client, endpoint)
        costs.append(len(queries))
        assert len(reply.context["durations"]["points"]) == 5
        assert "of the 5 newest runs" in reply.content.decode()
    assert costs[0] == costs[1]


def test_the_poll_gets_the_tab_alone_while_a_run_lives(client, endpoint, as_role, run_of):
    as_role()
    run_of(Status.RUNNING)
    route = reverse("endpoints:endpoint-runs", args=[endpoint.uuid])
    fragment = client.get(route, headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<div class="stack" id="runs" hx-get=')
    Run.objects.update(status=Status.COMPLETED, finished_at=timezone.now())
    assert "hx-trigger" not in client.get(route, headers={"HX-Request": "true"}).content.decode()
