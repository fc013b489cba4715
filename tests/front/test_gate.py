"""What is decided before a body is read: by whose sign-in, and with a row of what was refused."""

import pytest
from django.test import Client, RequestFactory

from studio.core.models import AuditEvent
from studio.front.gate import StudioGate
from studio.front.server import Refusal
from tests import factories

pytestmark = pytest.mark.django_db


def environ(path: str, *, scheme: str = "http", length: int = 100_000, **headers) -> dict:
    request = RequestFactory().post(path, REMOTE_ADDR="192.0.2.7", **headers)
    facts = {"wsgi.url_scheme": scheme, "CONTENT_LENGTH": str(length)}
    return request.environ | facts


def signed_in(user, *, secure: bool) -> str:
    """The Cookie header of a browser that this person signed in with."""
    browser = Client()
    form = {"username": user.username, "password": "pw"}
    assert browser.post("/sign-in/", form, secure=secure).status_code == 302
    return browser.cookies.output(attrs=[], header="", sep=";")


@pytest.mark.parametrize(
    ("by", "to", "is_admitted"),
    [("http", "http", True), ("https", "https", True), ("http", "https", False)],
)
def test_a_person_sends_much_where_they_are_signed_in(actor, by, to, is_admitted):
    cookie = signed_in(actor.user, secure=by == "https")
    answer = StudioGate().admit(environ("/pipelines/new/", scheme=to, HTTP_COOKIE=cookie))
    if is_admitted:
        assert isinstance(answer, int)
    else:
        assert isinstance(answer, Refusal)
        assert answer.status == 401


@pytest.mark.parametrize(("length", "status"), [(100_000, 401), (10**9, 413)])
def test_a_trigger_that_is_refused_before_its_body_is_on_record(workspace, length, status):
    endpoint = factories.endpoint(workspace)
    path = f"/endpoints/{endpoint.uuid}/submit"
    wrong = {"HTTP_AUTHORIZATION": "Bearer studio_wrong"}
    answer = StudioGate().admit(environ(path, length=length, **wrong))
    assert isinstance(answer, Refusal)
    event = AuditEvent.objects.get()
    assert (event.verb, event.status, event.actor) == ("submit refused", status, "anonymous")
    assert (event.address, event.door, event.endpoint_uuid) == ("192.0.2.7", "REST", endpoint.uuid)


def test_a_trigger_that_is_too_large_names_its_caller(actor):
    endpoint = factories.endpoint(actor.workspace)
    own = {"HTTP_AUTHORIZATION": f"Bearer {factories.token(actor)}"}
    StudioGate().admit(environ(f"/endpoints/{endpoint.uuid}/submit", length=10**9, **own))
    assert AuditEvent.objects.get().actor == actor.name
