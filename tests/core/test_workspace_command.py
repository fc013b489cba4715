"""`manage.py workspace add`: a workspace under the ids that callers hold already."""

import io

import pytest
from django.core.management import CommandError, call_command

from endpoints.models import ComputeTarget, Dataset, Datastore, PipelineEndpoint
from studio.core import access
from studio.core.models import AuditEvent, Role, Workspace
from studio.management.callers import find_workspace
from tests import factories

pytestmark = pytest.mark.django_db
OLD = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"


@pytest.fixture(autouse=True)
def place_of_its_own(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"


def add(*more, subscription=OLD, group="rg-old", name="ws-old") -> str:
    out = io.StringIO()
    arguments = ["--subscription", subscription, "--group", group, "--name", name, *more]
    call_command("workspace", "add", *arguments, stdout=out)
    return out.getvalue()


def test_it_has_what_the_first_one_started_with_and_its_administrators():
    admin = factories.user("root", is_superuser=True)
    other = factories.user("guest")
    printed = add()
    workspace = Workspace.objects.get(name="ws-old")
    assert printed.strip() == f"{workspace.uuid} {workspace.scope}"
    assert workspace.subscription_id == OLD.lower()
    assert [(row.user, row.role) for row in workspace.grants.all()] == [(admin, Role.ADMIN)]
    assert other not in [grant.user for grant in workspace.grants.all()]
    assert ComputeTarget.objects.get(workspace=workspace).name == "cpu-cluster"
    assert Datastore.objects.get(workspace=workspace).is_default
    names = PipelineEndpoint.objects.filter(workspace=workspace).values_list("name", flat=True)
    assert set(names) == {"compare", "titanic", "datapath", "flaky"}
    assert Dataset.objects.filter(workspace=workspace).count() == 4
    event = AuditEvent.objects.get(workspace=workspace, kind="Workspace")
    assert (event.verb, event.actor) == ("create", "manage.py workspace add")
    assert access.actor_for(admin, workspace).may("administer")


def test_without_samples():
    add("--no-samples")
    assert ComputeTarget.objects.exists() and not PipelineEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"subscription": "mine"}, "GUID"),
        ({"group": "a/b"}, "resource group"),
        ({"group": "ends."}, "resource group"),
        ({"name": "a b"}, "'a b' is no name"),
        ({"name": "no\n"}, "is no name"),
        ({"name": "x" * 34}, "3-33"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_line(wrong, said):
    with pytest.raises(CommandError, match=said) as refusal:
        add("--no-samples", **wrong)
    assert "\n" not in str(refusal.value) and refusal.value.returncode == 1
    assert not Workspace.objects.exists()


def test_one_that_exists_is_refused_whatever_the_case():
    add("--no-samples")
    with pytest.raises(CommandError, match="exists already"):
        add("--no-samples", subscription=OLD.lower(), group="RG-Old", name="WS-OLD")
    assert Workspace.objects.count() == 1


def test_of_two_workspaces_with_one_name_the_group_tells():
    add("--no-samples")
    add("--no-samples", group="rg-new")
    with pytest.raises(CommandError, match="GROUP/NAME"):
        find_workspace("ws-old")
    assert find_workspace("rg-new/ws-old").resource_group == "rg-new"
    assert find_workspace(None).resource_group == "rg-old"
    with pytest.raises(CommandError, match="no workspace"):
        find_workspace("none")
