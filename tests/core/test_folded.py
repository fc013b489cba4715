"""Searches take letters alike in both cases, in every alphabet, on both databases."""

import pytest
from django.db.models import F

from endpoints.filters import CatalogueFilter
from endpoints.models import Dataset, PipelineEndpoint, PublishedPipeline
from runs.models import Run, Schedule
from runs.tracking.tags import merge
from studio.core.db.folded import fold
from studio.core.db.lookups import ILike
from tests import factories

pytestmark = pytest.mark.django_db
SPELLINGS = ["Größe", "GRÖSSE", "grö", "GRÖ", "GRO\u0308", "größ"]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_run_by_a_part_of_its_name(actor, workspace, text):
    run = factories.run(
        actor, experiment="e", graph=factories.graph(workspace), display_name="alle Größe"
    )
    factories.run(actor, experiment="e", graph=factories.graph(workspace), display_name="Grosse")
    assert list(Run.objects.pipeline_runs().searched(text)) == [run]


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("place", ["name", "description", "tags", "created_by"])
def test_an_endpoint_or_pipeline_by_what_is_written_of_it(workspace, text, place):
    words = iter(["Größe 1", "Größe 2", "Grosse"])
    value = lambda: {"team": next(words)} if place == "tags" else next(words)  # noqa: E731
    row, other = factories.endpoint(workspace), factories.endpoint(workspace)
    setattr(row, place, value())
    row.save(update_fields=[place])
    assert list(PipelineEndpoint.objects.searched(text)) == [row]
    PipelineEndpoint.objects.filter(pk=other.pk).update(**{place: value()})
    assert PipelineEndpoint.objects.searched(text).count() == 2
    PipelineEndpoint.objects.filter(pk=row.pk).update(**{place: value()})
    assert list(PipelineEndpoint.objects.searched(text)) == [other]


def test_a_pipeline_a_schedule_and_a_dataset(workspace):
    pipeline = factories.pipeline(workspace, "Ärger")
    Dataset.objects.create(workspace=workspace, name="a", description="ΣΊΣΥΦΟΣ")
    Schedule.objects.bulk_create(
        [Schedule(workspace=workspace, name="Привет", pipeline=pipeline, trigger="Recurrence")]
    )
    assert PublishedPipeline.objects.searched("ärg").get() == pipeline
    assert Dataset.objects.searched("σίσυφος").exists()
    assert Schedule.objects.searched("ПРИ").exists()


def test_what_is_renamed_is_found_by_its_new_name(actor, workspace):
    run = factories.run(actor, experiment="e", graph=factories.graph(workspace), display_name="alt")
    merge(run.pk, display_name="Öl")
    assert Run.objects.searched("ÖL").get() == run
    assert not Run.objects.searched("alt").exists()
    run.refresh_from_db()
    run.name = "Ähre"
    run.save()
    assert Run.objects.searched("ähre").get() == run


@pytest.mark.parametrize("text", ["%", "_", "\\", "100%_"])
def test_what_like_takes_for_any_text_is_itself(workspace, text):
    factories.endpoint(workspace, "plain")
    row = factories.endpoint(workspace, f"a{text}b")
    assert list(PipelineEndpoint.objects.searched(text)) == [row]


def test_the_catalogue_finds_by_an_id_too(workspace):
    row = factories.endpoint(workspace)
    rows = PipelineEndpoint.objects.all()
    wanted = CatalogueFilter.search(None, rows, "q", str(row.uuid)[:8].upper())
    assert list(wanted) == [row]


def test_updating_other_columns_costs_one_statement(workspace, django_assert_num_queries):
    row = factories.endpoint(workspace)
    with django_assert_num_queries(1):
        PipelineEndpoint.objects.filter(pk=row.pk).update(is_public=True)


def test_ilike_of_other_alphabets(actor, workspace):
    run = factories.run(
        actor, experiment="e", graph=factories.graph(workspace), display_name="Größe"
    )
    assert Run.objects.filter(ILike(F("display_name"), "GRÖ%")).get() == run
    assert not Run.objects.filter(ILike(F("display_name"), "GRÖ")).exists()


def test_folding_twice_changes_nothing():
    for text in (*SPELLINGS, "İstanbul", "ﬁn", "ΐ", "ǰ"):
        assert fold(fold(text)) == fold(text)
