from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from endpoints.models import PipelineEndpoint, PublishedPipeline

pytestmark = pytest.mark.django_db
NOOP = Path(__file__).resolve().parent.parent / "pipelines" / "noop"


@pytest.fixture(autouse=True)
def storage(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"
    settings.STUDIO_BASE_URL = "https://studio.example"


def publish(*arguments):
    out = StringIO()
    call_command("publish", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_it_prints_the_id_and_the_rest_url(workspace):
    line = publish(NOOP)
    pipeline = PublishedPipeline.objects.get()
    assert line == (
        f"{pipeline.uuid} https://studio.example/pipelines/v1.0{workspace.scope}"
        f"/PipelineRuns/PipelineSubmit/{pipeline.uuid}\n"
    )


def test_it_puts_versions_behind_an_endpoint(workspace):
    publish(NOOP, "--endpoint", "ep")
    line = publish(NOOP / "pipeline.yml", "--endpoint", "ep", "--set-default")
    endpoint = PipelineEndpoint.objects.get()
    assert line.endswith(f"/PipelineEndpointSubmit/Id/{endpoint.uuid}\n")
    assert endpoint.versions.count() == 2 and endpoint.default_version.number == 1


def test_it_gives_old_identities(workspace):
    uuid, endpoint_uuid = uuid4(), uuid4()
    publish(NOOP, "--id", uuid, "--endpoint", "ep", "--endpoint-id", endpoint_uuid)
    assert PublishedPipeline.objects.get().uuid == uuid
    assert PipelineEndpoint.objects.get().uuid == endpoint_uuid
    with pytest.raises(CommandError, match="taken"):
        publish(NOOP, "--id", uuid)


def test_errors_are_one_line(workspace, tmp_path):
    (tmp_path / "pipeline.yml").write_text("pipeline:\n  stepz: {}\n")
    with pytest.raises(CommandError, match=r"pipeline\.yml:2: pipeline\.stepz: Unknown key"):
        publish(tmp_path)
    with pytest.raises(CommandError, match="no such file"):
        publish(tmp_path / "gone")
    with pytest.raises(CommandError, match="gone"):
        publish(tmp_path / "gone.zip")
    with pytest.raises(CommandError, match="Name the endpoint whose default"):
        publish(NOOP, "--set-default")
    with pytest.raises(CommandError, match="Name the endpoint that gets this ID"):
        publish(NOOP, "--endpoint-id", uuid4())
    with pytest.raises(CommandError, match=r"no workspace .other"):
        publish(NOOP, "--workspace", "other")
    assert not PublishedPipeline.objects.exists()


def test_before_the_first_start_it_says_so(db):
    with pytest.raises(CommandError, match=r"run `manage\.py up` first"):
        publish(NOOP)
