"""The filters of the list of runs, and pages merged from several statuses."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import timezone

from runs import filters
from runs.models import Experiment, Kind, PipelineRun, Run, RunAttribute, Schedule, Source
from runs.states import TERMINAL, Status
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(workspace):
    graph = factories.graph(workspace)

    def run(status=Status.RUNNING, *, experiment="churn", source=Source.REST, **more):
        place, _made = Experiment.objects.get_or_create(workspace=workspace, name=experiment)
        made = Run(workspace=workspace, experiment=place, kind=Kind.PIPELINE, status=status, **more)
        made.finished_at = made.created_at if status in TERMINAL else None
        made.save()
        PipelineRun.objects.create(run=made, graph=graph, source=source)
        return made

    return run


def found(workspace, query: str, **place) -> list[Run]:
    chosen = filters.RunFilter(QueryDict(query), Run.objects.all(), workspace=workspace)
    return list(filters.page(chosen.qs, chosen.statuses, **place))


def test_an_archived_experiment_is_offered_only_where_it_is_chosen(workspace, make):
    make(experiment="kept")
    old = make(experiment="old").experiment
    Experiment.objects.filter(pk=old.pk).update(archived_at=timezone.now())

    def offered(query):
        chosen = filters.RunFilter(QueryDict(query), Run.objects.all(), workspace=workspace)
        return [name for _uuid, name in chosen.offered["experiment"]]

    assert offered("") == ["kept"]
    assert offered(f"experiment={old.uuid}") == ["kept", "old"]


def test_by_the_beginning_or_middle_of_a_name_and_by_id(workspace, make):
    one, two = make(display_name="teal_salt"), make(display_name="red_fox")
    assert found(workspace, "q=salt") == [one]
    assert found(workspace, f"q={two.uuid}") == [two]
    assert found(workspace, "q=nothing") == []


@pytest.mark.parametrize("query", ["148", "Run 148", "run 148", "#148", " 148 "])
def test_by_number(workspace, make, query):
    one, _other = make(number=148, display_name="a"), make(number=1480, display_name="b")
    assert found(workspace, urlencode({"q": query})) == [one]
    assert found(workspace, "q=" + "9" * 30) == []


def test_a_number_in_a_name_is_found_too(workspace, make):
    one, two = make(number=148), make(number=3, display_name="fold 148")
    assert found(workspace, "q=148") == [two, one]


def test_by_schedule(workspace, make):
    endpoint = factories.endpoint(workspace)
    one, two = (
        Schedule.objects.create(
            workspace=workspace, endpoint=endpoint, name=name, trigger="DataStore"
        )
        for name in "ab"
    )
    first, _second, _third = make(schedule=one), make(schedule=two), make()
    assert found(workspace, f"schedule={one.uuid}") == [first]
    elsewhere = factories.workspace()
    assert filters.RunFilter(
        QueryDict(f"schedule={one.uuid}"), Run.objects.all(), workspace=elsewhere
    ).form.errors


def test_by_a_parameters_value_and_by_a_tag(workspace, make):
    one, two = make(), make()
    RunAttribute.objects.create(run=one, kind="parameter", key="lr", value="0.01")
    RunAttribute.objects.create(run=two, kind="tag", key="team", value="growth")
    assert found(workspace, "q=param:lr=0.01") == [one]
    assert found(workspace, "q=param:lr") == [one]
    assert found(workspace, "q=param:lr=0.02") == []
    assert found(workspace, "q=tag:team=growth") == [two]
    assert found(workspace, "q=tag:lr=0.01") == []


def test_by_a_tag_whose_name_has_signs(workspace, make):
    one, two, three = make(), make(), make()
    for run, key, value in ((one, "a", "b=c"), (two, "a=b", "c"), (three, "a=b=c", "")):
        RunAttribute.objects.create(run=run, kind="tag", key=key, value=value)
    wanted = lambda text: {run.pk for run in found(workspace, urlencode({"q": text}))}  # noqa: E731
    assert wanted("tag:a=b=c") == {one.pk, two.pk, three.pk}
    assert wanted("tag:a=b = c") == {two.pk}
    assert wanted("tag:a=b") == {two.pk}
    assert wanted("tag:a=b=c=") == {three.pk}
    assert wanted("tag:=c") == set()
    assert wanted("tag:" + "=" * 5000) == set()


def test_by_a_name_in_any_letters(workspace, make):
    one = make(display_name="Größe")
    assert found(workspace, urlencode({"q": "GRÖ"})) == [one]


def test_by_experiment_and_source(workspace, make):
    one = make(experiment="churn")
    two = make(experiment="fraud", source=Source.STUDIO)
    assert found(workspace, f"experiment={one.experiment.uuid}") == [one]
    assert found(workspace, "source=Studio") == [two]


def test_by_submitted_time(workspace, make):
    old, new = make(), make()
    Run.objects.filter(pk=old.pk).update(created_at="2020-01-01T00:00:00Z")
    assert found(workspace, "submitted=day") == [new]


def test_several_statuses_are_merged_newest_first(workspace, make):
    rows = [make(status) for status in (Status.RUNNING, Status.FAILED, Status.COMPLETED) * 2]
    wanted = [row for row in reversed(rows) if row.status != Status.COMPLETED]
    assert found(workspace, "status=Running&status=Failed") == wanted


def test_an_unknown_value_is_ignored(workspace, make):
    run = make()
    other = make(Status.FAILED, display_name="salt")
    nonsense = "status=Nonsense&status=&source=Nobody&submitted=never&experiment=x&other=1"
    assert found(workspace, nonsense) == [other, run]
    assert found(workspace, f"{nonsense}&q=salt") == [other]
    assert found(workspace, "status=&status=Running") == [run]


@pytest.mark.parametrize("statuses", [[], ["Running"], ["Running", "Failed"]])
def test_pages_go_to_the_end_and_back(make, statuses):
    for number in range(7):
        make(Status.RUNNING if number % 2 else Status.FAILED)
    wanted = [
        run.pk for run in Run.objects.order_by("-pk") if not statuses or run.status in statuses
    ]
    pages = [filters.page(Run.objects.all(), statuses, size=2)]
    while pages[-1].older is not None:
        pages.append(filters.page(Run.objects.all(), statuses, before=pages[-1].older, size=2))
    assert [run.pk for page in pages for run in page] == wanted
    assert pages[0].newer is None
    back = filters.page(Run.objects.all(), statuses, after=pages[-1].newer, size=2)
    assert [run.pk for run in back] == [run.pk for run in pages[-2]]
