"""The links that the SDK prints: each opens our page of the thing, after the sign-in if need be."""

import pytest
from django.urls import reverse

from endpoints.models import ComputeTarget
from studio.core.access import workspaces_of
from studio.core.models import Role, RoleGrant
from tests import factories
from tests.runs.shown import step_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]

NOBODYS = "3f0c9a52-6d1e-4b7a-9c58-7e2b14d0a6f3"


def wsid(workspace) -> str:
    return (
        f"?wsid=/subscriptions/{workspace.subscription_id}/resourcegroups/{workspace.resource_group}"
        f"/workspaces/{workspace.name}&tid=studio"
    )


@pytest.fixture
def links(run, workspace):
    """Each link with the page it leads to, the page's own address included."""
    runs = f"{reverse('runs:run-list')}?experiment={run.experiment.uuid}"
    pipeline = run.endpoint.default_version.pipeline
    target = ComputeTarget.objects.create(workspace=workspace, name="gpu")
    return {
        "": "/",
        f"/runs/{run.uuid}": f"/runs/{run.uuid}",
        f"/runs/{step_of(run, 'train').uuid}": f"/runs/{run.uuid}/",
        f"/experiments/{run.experiment.name}": runs,
        f"/experiments/id/{run.experiment.uuid}": runs,
        f"/experiments/id/{run.experiment.uuid}/runs/{run.uuid}": f"/runs/{run.uuid}/",
        f"/experiments/{run.experiment.name}/runs/{run.uuid}": f"/runs/{run.uuid}/",
        f"/pipelines/{pipeline.uuid}": pipeline.get_absolute_url(),
        f"/mlflow/v2.0{workspace.scope}/": reverse("runs:run-list"),
        f"/compute/{target.name}/details": f"{reverse('endpoints:compute-list')}#target-gpu",
    }


def test_each_opens_a_page(client, actor, workspace, links):
    client.force_login(actor.user)
    for link, page in links.items():
        reply = client.get(link + wsid(workspace), follow=True)
        assert reply.status_code == 200, link
        ended = reply.redirect_chain[-1][0] if reply.redirect_chain else (link or "/")
        assert ended.split("?step=")[0] == page, link


def test_strangers_sign_in_first_and_then_are_there(client, workspace, links):
    for link in links:
        reply = client.get(link + wsid(workspace))
        assert reply.status_code == 302, link
        assert reply.headers["Location"].startswith("/sign-in/?next="), link
        assert "wsid" in reply.headers["Location"], link


@pytest.mark.parametrize(
    "link",
    [
        *("/experiments/none", "/experiments/%00", f"/experiments/id/{NOBODYS}"),
        *(f"/pipelines/{NOBODYS}", "/compute/none/details", "/compute/%00/details"),
        f"/experiments/none/runs/{NOBODYS}",
    ],
)
def test_what_is_not_there_is_not_found(client, actor, link):
    client.force_login(actor.user)
    assert client.get(link, follow=True).status_code == 404


def test_nothing_of_another_workspace(client, actor, links):
    client.force_login(factories.actor(factories.workspace("other")).user)
    for link in links:
        if link:
            assert client.get(link, follow=True).status_code == 404, link


def test_a_link_opens_the_workspace_it_names_for_those_who_may(client, actor, workspace, run):
    other = factories.workspace("other")
    client.force_login(actor.user)
    client.get("/" + wsid(other))
    assert client.get(run.get_absolute_url()).status_code == 200
    RoleGrant.objects.create(user=actor.user, workspace=other, role=Role.READER)
    assert other in workspaces_of(actor.user)
    client.get("/" + wsid(other).upper().replace("?WSID", "?wsid"))
    assert client.get(run.get_absolute_url()).status_code == 404
    assert client.get(run.get_absolute_url() + wsid(workspace)).status_code == 200
    assert client.get(run.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("wsid", ["x", "/subscriptions/%00/resourcegroups/a/workspaces/b", ""])
def test_nonsense_names_no_workspace(client, actor, run, wsid):
    client.force_login(actor.user)
    assert client.get(f"{run.get_absolute_url()}?wsid={wsid}").status_code == 200
