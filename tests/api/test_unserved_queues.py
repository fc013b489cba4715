"""What REST says of a run that waits in a queue which nobody serves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from runs.models import Run, Worker
from tests import factories

pytestmark = pytest.mark.django_db

SAID = "No worker serves cpu-cluster"


@pytest.fixture
def waiting(actor, workspace):
    """Submitted half a minute ago."""
    run = factories.run(actor, experiment="growth", pipeline=factories.pipeline(workspace))
    then = timezone.now() - timedelta(seconds=31)
    Run.objects.filter(root=run).update(created_at=then, updated_at=then)
    return run


def test_it_is_among_the_warnings_while_it_is_so_and_kept_nowhere(api, waiting, workspace):
    prefix = f"/pipelines/v1.0{workspace.scope}/PipelineRuns"
    entity = api.get(f"{prefix}/{waiting.uuid}").body
    assert entity["HasWarnings"] is True
    (warning,) = entity["Warnings"]
    assert SAID in warning and "manage.py worker --queues cpu-cluster" in warning
    (listed,) = api.get(f"{prefix}/Pipeline/{waiting.pipeline.uuid}").body
    assert listed["Warnings"] == [warning]
    waiting.pipeline_run.refresh_from_db()
    assert waiting.pipeline_run.warnings == []
    Worker.objects.create(name="w", role="worker", host="h", pid=1)
    assert api.get(f"{prefix}/{waiting.uuid}").body["HasWarnings"] is False


def test_the_details_of_the_run_and_of_its_step_say_so(api, waiting, workspace):
    history = f"/history/v1.0{workspace.scope}/experiments/growth/runs"
    for run in (waiting, waiting.children.get()):
        (warning,) = api.get(f"{history}/{run.uuid}/details").body["warnings"]
        assert SAID in warning["message"]
