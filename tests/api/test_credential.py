import pytest
from django.utils import timezone

from runs import run_tokens
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
    shown = {"name": "db-password", "value": "hush", "contentType": "text"}
    assert api.get(f"{url}/db-password").body == shown
    assert api.get(f"{url}/none").status == 404
    assert "hush" not in str(AuditEvent.objects.values())
    assert [event.verb for event in AuditEvent.objects.order_by("pk")] == [
        "set secret",
        "read secret",
    ]


def test_batches_are_named_in_any_case(api, url):
    secrets = [{"name": "Mine", "value": "hush"}]
    assert api.put(f"{url}:PutBatch", {"secrets": secrets}).status == 200
    assert "hush" in str(api.post(f"{url}:GETBATCH", {"secrets": [{"name": "Mine"}]}).body)
    assert api.post(f"{url}:deleteBatch", {"secrets": [{"name": "Mine"}]}).status == 200
    assert api.get(f"{url}/Mine").status == 404


def test_a_content_type_that_nobody_gave_has_the_clients_word_for_it(api, url):
    api.put(url, {"name": "s", "value": "hush"})
    assert api.get(f"{url}/s").body["contentType"] == "application/NotProvided"


def test_a_step_reads_while_its_run_lives_and_that_is_on_record(api, workspace, actor, url):
    api.put(url, {"name": "s", "value": "hush"})
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
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
    for role, status in [(Role.READER, 403), (Role.OPERATOR, 403), (Role.PUBLISHER, 200)]:
        caller = api_as(role)
        assert caller.get(f"{url}/s").status == status
        assert caller.get(url).status == status
        asked = {"secrets": [{"name": "s"}]}
        assert caller.post(f"{url}:getbatch", asked).status == status
        assert caller.put(url, {"name": "s", "value": "w"}).status == status


def test_several_at_once(api, api_as, url):
    rows = [{"name": "one", "value": "1"}, {"name": "two", "value": "2"}]
    assert api.put(f"{url}:putbatch", {"secrets": rows}).status == 200
    asked = {"secrets": [{"name": "one"}, {"name": "none"}]}
    found = api.post(f"{url}:getbatch", asked).body
    assert found == {"secrets": [{"name": "one", "value": "1"}], "notFoundSecrets": ["none"]}
    assert [row["name"] for row in api.get(url).body["value"]] == ["one", "two"]
    assert api.delete(f"{url}/one").status == 200
    assert api.delete(f"{url}/one").status == 404
    assert api.post(f"{url}:deletebatch", {"secrets": [{"name": "two"}]}).status == 200
    assert api.get(url).body["value"] == []
    reader = api_as(Role.READER)
    assert reader.get(url).status == reader.post(f"{url}:getbatch", asked).status == 403
    assert reader.put(f"{url}:putbatch", {"secrets": rows}).status == 403


def test_a_batch_is_kept_whole_or_not_at_all(api, url):
    rows = [{"name": "one", "value": "1"}, {"name": "not a name", "value": "2"}]
    assert api.put(f"{url}:putbatch", {"secrets": rows}).status == 400
    assert api.get(url).body["value"] == []
