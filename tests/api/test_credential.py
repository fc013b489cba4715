import pytest
from django.utils import timezone

from runs import run_tokens, services
from runs.models import Run
from runs.states import Status
from studio.core.models import AuditEvent, Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(workspace):
    return f"/credential/v2.0{workspace.scope}/secrets"


def test_set_and_get(api, url):
    body = {"name": "db-password", "value": "hush", "contentType": "text"}
    assert api.put(url, body).status == 200
    assert api.get(f"{url}/db-password").body == {"name": "db-password", "value": "hush"}
    assert api.get(f"{url}/none").status == 404
    assert "hush" not in str(AuditEvent.objects.values())
    assert [event.verb for event in AuditEvent.objects.order_by("pk")] == [
        "set secret",
        "read secret",
    ]


def test_a_step_reads_while_its_run_lives_and_that_is_on_record(api, workspace, actor, url):
    api.put(url, {"name": "s", "value": "hush"})
    run = services.submit(actor, experiment="e", pipeline=factories.pipeline(workspace))
    in_step = Api(workspace, run_tokens.make(Run.objects.get(parent=run))[0])
    assert in_step.get(f"{url}/s").body["value"] == "hush"
    event = AuditEvent.objects.get(verb="read secret")
    assert (event.object_name, event.actor) == ("s", actor.name)
    assert event.after == {"run": str(Run.objects.get(parent=run).uuid)}
    assert in_step.put(url, {"name": "s", "value": "w"}).status == 403
    assert in_step.get(f"{url}/none").status == 404
    Run.objects.filter(parent=run).update(status=Status.COMPLETED, finished_at=timezone.now())
    assert in_step.get(f"{url}/s").status == 401
    assert AuditEvent.objects.filter(verb="read secret").count() == 1


@pytest.mark.parametrize("body", [{}, {"name": "a b"}, {"name": "a", "value": {}}, {"name": []}])
def test_wrong_secrets_are_400(api, url, body):
    assert api.put(url, body).status == 400


def test_who_may(api, api_as, url):
    api.put(url, {"name": "s", "value": "v"})
    assert api_as(Role.READER).get(f"{url}/s").status == 403
    assert api_as(Role.OPERATOR).get(f"{url}/s").status == 200
    assert api_as(Role.OPERATOR).put(url, {"name": "s", "value": "w"}).status == 403
