"""What a person does to a run on its page: cancel, resubmit, publish."""

import pytest
from django.urls import reverse

from endpoints.models import PipelineEndpoint, PublishedPipeline
from runs.models import Kind, Run
from runs.states import Status
from studio.core.models import AuditEvent, Role
from tests import factories
from tests.runs.shown import complete, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def test_cancel_asks_first(page, client, run):
    assert f"Cancel {run}?" in page("run-cancel", run.uuid).replace("<wbr>", "")
    address = reverse("runs:run-cancel", args=[run.uuid])
    assert client.post(address).headers["Location"] == f"/runs/{run.uuid}/"
    run.refresh_from_db()
    assert run.status == Status.CANCELED
    assert client.post(address).status_code == 409


def test_a_reader_may_look_and_not_touch(client, workspace, run):
    reader = factories.actor(workspace, Role.READER)
    client.force_login(reader.user)
    assert client.get(run.get_absolute_url()).status_code == 200
    for name in ("runs:run-cancel", "runs:run-resubmit", "endpoints:run-publish"):
        assert client.post(reverse(name, args=[run.uuid])).status_code == 403
    chosen = {"selected": [str(run.uuid)], "confirmed": "1"}
    assert client.post(reverse("runs:run-cancel-selected"), chosen).status_code == 403
    run.refresh_from_db()
    assert run.status == Status.NOT_STARTED


def resubmission(**changes) -> dict:
    given = {
        "experiment_choice": "existing",
        "experiment": "growth",
        "key": "k1",
        "param_lr": "0.5",
    }
    return given | changes


def test_resubmit_starts_from_the_runs_values_and_submits_once(page, client, actor, endpoint):
    run = submit(actor, endpoint, assignments={"lr": "0.5"}, tags={"team": "growth"})
    text = page("run-resubmit", run.uuid)
    assert 'value="0.5"' in text
    assert "team = growth" in text
    address = reverse("runs:run-resubmit", args=[run.uuid])
    first = client.post(address, resubmission(param_lr="0.25"))
    assert (
        client.post(address, resubmission(param_lr="0.25")).headers["Location"] == first["Location"]
    )
    made = Run.objects.filter(kind=Kind.PIPELINE).latest("pk")
    assert made.pipeline_run.original == run.pipeline_run
    assert made.pipeline_run.parameters == {"lr": "0.25"}
    assert made.endpoint == endpoint


def test_resubmit_refuses_a_value_of_another_type(page, client, run):
    page("run-list")
    address = reverse("runs:run-resubmit", args=[run.uuid])
    response = client.post(address, resubmission(param_lr="fast"))
    assert response.status_code == 200
    assert b"lr" in response.content
    assert Run.objects.filter(kind=Kind.PIPELINE).count() == 1


def publication(**changes) -> dict:
    return {"where": "new", "new_endpoint": "fresh", "name": "churn again"} | changes


def test_publish_a_completed_run_behind_a_new_endpoint(page, client, run):
    address = reverse("endpoints:run-publish", args=[complete(run).uuid])
    assert "Set as default pipeline" in page("endpoints:run-publish", run.uuid)
    response = client.post(address, publication(continue_on_step_failure="on"))
    made = PublishedPipeline.objects.latest("pk")
    assert response.headers["Location"] == made.get_absolute_url()
    assert made.source_run_uuid == run.uuid
    assert made.graph == run.pipeline_run.graph
    assert made.continue_on_step_failure
    assert PipelineEndpoint.objects.get(name="fresh").default_version.pipeline == made


def test_publish_as_the_next_default_of_an_endpoint(page, client, endpoint, run):
    page("run-list")
    address = reverse("endpoints:run-publish", args=[complete(run).uuid])
    given = publication(where="existing", endpoint=str(endpoint.uuid), set_default="on")
    client.post(address, given)
    endpoint.refresh_from_db()
    assert endpoint.default_version.number == 1


@pytest.mark.parametrize(
    "wrong",
    [
        *({"new_endpoint": "churn"}, {"new_endpoint": ""}, {"new_endpoint": "a/b"}),
        *({"name": ""}, {"where": "existing"}),
    ],
)
def test_nothing_is_published_on_an_error(page, client, run, wrong):
    page("run-list")
    before = PublishedPipeline.objects.count(), PipelineEndpoint.objects.count()
    address = reverse("endpoints:run-publish", args=[complete(run).uuid])
    assert client.post(address, publication(**wrong)).status_code == 200
    assert (PublishedPipeline.objects.count(), PipelineEndpoint.objects.count()) == before


def test_a_run_that_has_not_completed_is_not_published(page, run):
    page("endpoints:run-publish", run.uuid, status=409)


def test_a_run_is_renamed_and_described(page, client, run):
    text = page("run-rename", run.uuid)
    assert f'value="{run}"' in text
    before, given = run.display_name, {"display_name": "<b>새 이름", "description": "why"}
    reply = client.post(reverse("runs:run-rename", args=[run.uuid]), given)
    assert reply.headers["Location"] == run.get_absolute_url()
    run.refresh_from_db()
    assert (run.display_name, run.description) == ("<b>새 이름", "why")
    event = AuditEvent.objects.get(verb="rename", object_uuid=run.uuid)
    assert event.before == {"display_name": before, "description": ""}
    assert event.after == given
    client.post(reverse("runs:run-rename", args=[run.uuid]), given)
    assert AuditEvent.objects.filter(object_uuid=run.uuid).exclude(verb="submit").count() == 1
    assert "&lt;b&gt;새 이름" in page("run-detail", run.uuid)


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\0b"])
def test_a_name_that_cannot_be_kept_is_refused_beside_its_field(page, client, run, name):
    page("run-list")
    before = run.display_name
    reply = client.post(reverse("runs:run-rename", args=[run.uuid]), {"display_name": name})
    assert reply.status_code == 200
    assert b"errorlist" in reply.content
    run.refresh_from_db()
    assert run.display_name == before


@pytest.mark.parametrize(("role", "status"), [(Role.READER, 403), (Role.OPERATOR, 302)])
def test_renaming_needs_an_operator(client, workspace, run, role, status):
    client.force_login(factories.actor(workspace, role).user)
    is_open = reverse("runs:run-rename", args=[run.uuid]) in (
        client.get(run.get_absolute_url()).content.decode()
    )
    assert is_open == (role == Role.OPERATOR)
    address = reverse("runs:run-rename", args=[run.uuid])
    assert client.post(address, {"display_name": "new"}).status_code == status
    run.refresh_from_db()
    assert (run.display_name == "new") == (status == 302)


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 403), (Role.PUBLISHER, 200)])
def test_what_nobody_has_published_is_run_again_by_publishers(client, workspace, role, status):
    """The command says so beforehand."""
    run = factories.run(
        factories.actor(workspace), experiment="own", graph=factories.graph(workspace)
    )
    client.force_login(factories.actor(workspace, role).user)
    address = reverse("runs:run-resubmit", args=[run.uuid])
    page = client.get(run.get_absolute_url()).content.decode()
    assert (address in page) == (status == 200)
    assert client.get(address).status_code == status
