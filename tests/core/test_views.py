"""Signing in, tokens, and what a person without a role sees."""

import pytest
from django.test import Client
from django.urls import reverse

from studio.core import tokens
from studio.core.models import AuditEvent, Role, Token
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(actor):
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sign_in(client, **form):
    return client.post(reverse("sign-in"), form)


def test_a_stranger_is_sent_to_sign_in_and_back(workspace, actor):
    client = Client()
    reply = client.get("/tokens/")
    assert reply.headers["Location"] == "/sign-in/?next=/tokens/"
    reply = client.post(reply.headers["Location"], {"username": actor.name, "password": "pw"})
    assert reply.headers["Location"] == "/tokens/"


def test_a_wrong_password_says_so_and_too_many_wait(settings, actor):
    client = Client()
    for _ in range(settings.STUDIO_LOGIN_TRIES_PER_MINUTE - 1):
        assert sign_in(client, username=actor.name, password="no").status_code == 200
    locked = sign_in(client, username=actor.name, password="no")
    assert locked.status_code == 429
    assert "Wait a minute" in locked.content.decode()
    assert sign_in(client, username=actor.name, password="pw").status_code == 429
    other = factories.actor(actor.workspace)
    assert sign_in(client, username=other.name, password="pw").status_code == 302


def test_pages_carry_a_strict_policy(browser):
    policy = browser.get("/tokens/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_token_is_shown_once_and_revoked(browser, actor):
    made = browser.post("/tokens/new/", {"name": "ci", "days": 30})
    plain = made.context["plain"]
    assert plain in made.content.decode()
    assert tokens.from_plain(plain).user == actor.user
    assert plain not in browser.get("/tokens/").content.decode()
    browser.post(f"/tokens/{Token.objects.get().uuid}/revoke/")
    assert tokens.from_plain(plain) is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "", "days": 3}, "name"),
        ({"name": "x", "days": 0}, "days"),
        ({"name": "x"}, "days"),
    ],
)
def test_a_bad_token_form_names_the_field_and_makes_nothing(browser, form, field):
    reply = browser.post("/tokens/new/", form)
    assert reply.context["form"].errors.keys() == {field}
    assert not Token.objects.exists()


def test_somebody_elses_token_is_not_found_but_an_admin_may_end_it(workspace, browser):
    reader = factories.actor(workspace, Role.READER)
    token, _ = tokens.issue(user=reader.user, workspace=workspace, name="theirs")
    stranger = Client()
    stranger.force_login(
        factories.actor(workspace, Role.OPERATOR).user,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert stranger.post(f"/tokens/{token.uuid}/revoke/").status_code == 404
    assert browser.post(f"/tokens/{token.uuid}/revoke/").status_code == 302


def test_revoking_asks_first_and_is_audited(browser, actor):
    token, plain = tokens.issue(user=actor.user, workspace=actor.workspace, name="ci")
    asked = browser.get(f"/tokens/{token.uuid}/revoke/").content.decode()
    assert "Revoke ci?" in asked
    assert tokens.from_plain(plain) == token
    browser.post(f"/tokens/{token.uuid}/revoke/")
    assert AuditEvent.objects.get().verb == "revoke"


def test_a_token_may_open_one_endpoint_of_this_workspace_only(browser, actor):
    endpoint = factories.endpoint(actor.workspace, "train")
    page = browser.get(f"/tokens/new/?endpoint={endpoint.uuid}").content.decode()
    assert f'<option value="{endpoint.uuid}" selected>' in page
    elsewhere = factories.endpoint(factories.workspace())
    refused = browser.post("/tokens/new/", _token(elsewhere))
    assert refused.context["form"].errors.keys() == {"endpoint_uuid"}
    browser.post("/tokens/new/", _token(endpoint))
    assert Token.objects.get().endpoint_uuid == endpoint.uuid
    assert "train" in browser.get("/tokens/").content.decode()


def _token(endpoint):
    return {"name": "ci", "days": 30, "endpoint_uuid": str(endpoint.uuid)}


def test_another_workspace_is_opened_and_kept(browser, actor):
    second = factories.workspace("second")
    factories.actor(second, Role.READER, actor.user)
    factories.workspace("foreign")
    page = browser.get("/workspace/").content.decode()
    assert "second" in page
    assert "foreign" not in page
    browser.post("/workspace/", {"workspace": str(second.uuid)})
    assert browser.get("/tokens/").context["request"].actor.workspace == second


@pytest.mark.parametrize(("wanted", "status"), [("", 400), ("foreign", 404), ("x", 400)])
def test_a_workspace_without_a_role_is_not_opened(browser, wanted, status):
    uuid = factories.workspace("foreign").uuid if wanted == "foreign" else wanted
    assert browser.post("/workspace/", {"workspace": str(uuid)}).status_code == status


PAGES = (
    *("/", "/tokens/", "/tokens/new/", "/pipelines/runs/", "/pipelines/endpoints/"),
    *("/pipelines/published/", "/pipelines/new/", "/datasets/", "/datastores/", "/datastores/x/"),
    *("/compute/", "/compute/new/"),
)


@pytest.mark.parametrize("address", PAGES)
def test_a_person_without_a_role_is_told_what_to_do(workspace, address):
    client = Client()
    client.force_login(factories.user(), backend="django.contrib.auth.backends.ModelBackend")
    reply = client.get(address)
    assert reply.status_code == 403
    assert "Ask an administrator" in reply.content.decode()
    assert "no role in any" in client.get("/workspace/").content.decode()


def test_an_unknown_page_is_plain_and_carries_its_correlation_id(browser):
    reply = browser.get("/nothing/here/")
    assert reply.status_code == 404
    assert reply.headers["x-ms-request-id"] in reply.content.decode()
