import pytest

from studio.core.models import AuditEvent, Role

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


@pytest.mark.parametrize("body", [{}, {"name": "a b"}, {"name": "a", "value": {}}, {"name": []}])
def test_wrong_secrets_are_400(api, url, body):
    assert api.put(url, body).status == 400


def test_who_may(api, api_as, url):
    api.put(url, {"name": "s", "value": "v"})
    assert api_as(Role.READER).get(f"{url}/s").status == 403
    assert api_as(Role.OPERATOR).get(f"{url}/s").status == 200
    assert api_as(Role.OPERATOR).put(url, {"name": "s", "value": "w"}).status == 403
