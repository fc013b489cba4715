import base64
from datetime import UTC, datetime
from urllib.parse import quote_plus, urlencode

import jwt
import pytest
import time_machine

from studio.core import rate_limits, tokens
from studio.core.access import actor_for
from studio.core.models import AuditEvent, Token

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def grant(anonymous, secret, *, path="/adfs/oauth2/token", content_type=FORM, **more):
    form = {
        "grant_type": "client_credentials",
        "client_id": "whoever",
        "client_secret": secret,
        "resource": "https://management.azure.com",
        **more,
    }
    return anonymous.post(path, raw=urlencode(form, safe=":/").encode(), content_type=content_type)


def test_openid_configuration(anonymous):
    reply = anonymous.get("/adfs/any-tenant/.well-known/openid-configuration")
    assert reply.body["token_endpoint"] == "http://testserver/adfs/oauth2/token"


@pytest.mark.parametrize("path", ["/adfs/oauth2/token", "/your-tenant-id/oauth2/token"])
@pytest.mark.parametrize("content_type", [FORM, "", "text/plain"])
def test_secret_becomes_a_jwt_whatever_the_content_type(anonymous, api, path, content_type):
    reply = grant(anonymous, api.token, path=path, content_type=content_type)
    assert reply.status == 200
    claims = jwt.decode(reply.body["access_token"], options={"verify_signature": False})
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["tid"], str)
    assert reply.body["token_type"] == "Bearer"
    assert reply.body["expires_in"] > 3000
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_jwt_opens_the_api_under_both_schemes(anonymous, api, scheme):
    text = grant(anonymous, api.token).body["access_token"]
    assert anonymous.get(f"{api.P}/Pipelines", Authorization=f"{scheme} {text}").status == 200


def test_jwt_dies_with_its_token(anonymous, api):
    text = grant(anonymous, api.token).body["access_token"]
    token = Token.objects.get()
    tokens.revoke(actor_for(token.user, token.workspace), token)
    assert anonymous.get(f"{api.P}/Pipelines", Authorization=f"Bearer {text}").status == 401
    assert grant(anonymous, api.token).status == 401


@pytest.mark.parametrize("secret", ["", "studio_unknown", "no-prefix", "é"])
def test_other_secrets_are_refused(anonymous, db, secret):
    reply = grant(anonymous, secret)
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")


def test_a_secret_may_come_as_basic_authentication(anonymous, api):
    def ask(words: str) -> int:
        header = "Basic " + base64.b64encode(words.encode()).decode()
        raw = b"grant_type=client_credentials&scope=x"
        return anonymous.post(
            "/adfs/oauth2/token", raw=raw, content_type=FORM, Authorization=header
        ).status

    assert ask(f"whoever:{quote_plus(api.token)}") == 200
    assert ask("whoever:studio_unknown") == ask("no colon") == 401
    reply = anonymous.post(
        "/adfs/oauth2/token",
        raw=b"grant_type=client_credentials",
        content_type=FORM,
        Authorization="Basic é",
    )
    assert reply.status == 401


def test_other_grants_are_refused(anonymous, api):
    reply = grant(anonymous, api.token, grant_type="password")
    assert (reply.status, reply.body["error"]) == (400, "unsupported_grant_type")


def test_managed_identity_of_app_service(anonymous, api):
    reply = anonymous.get("/msi/?resource=https://HOST/&api-version=2017-09-01", secret=api.token)
    assert reply.status == 200
    assert reply.body["resource"] == "https://HOST/"
    assert int(reply.body["expires_on"]) > 0


def test_managed_identity_with_the_credential_in_the_address(anonymous, api):
    reply = anonymous.post(
        f"/msi?token={api.token}", raw=b"resource=https://HOST/", content_type=FORM, Metadata="true"
    )
    assert reply.status == 200
    assert reply.body["resource"] == "https://HOST/"
    assert anonymous.get("/msi/", secret="wrong").status == 401


@pytest.fixture
def _within_one_minute():
    with time_machine.travel(datetime(2026, 11, 5, 12, 30, 5, tzinfo=UTC), tick=False):
        yield


@pytest.mark.usefixtures("_within_one_minute")
def test_guessing_secrets_is_slowed_down_and_on_record(anonymous, api):
    for _ in range(rate_limits.limit()):
        assert grant(anonymous, "studio_guess").status == 401
    refused = grant(anonymous, "studio_guess")
    assert (refused.status, refused.body["error"]) == (429, "temporarily_unavailable")
    assert refused.headers["Retry-After"] == "55"
    rows = AuditEvent.objects.filter(verb="token refused").order_by("pk")
    assert list(rows.values_list("actor", "status", "count", "address")) == [
        ("whoever", 401, rate_limits.limit(), "127.0.0.1"),
        ("whoever", 429, 1, "127.0.0.1"),
    ]
    assert "studio_guess" not in str(AuditEvent.objects.values())
    # Who has a token is not kept out by a neighbour with an old one.
    assert grant(anonymous, api.token).status == 200


@pytest.mark.usefixtures("_within_one_minute")
def test_spraying_client_names_is_slowed_down(anonymous, db):
    times = rate_limits.address_limit() + 3
    answers = [grant(anonymous, "studio_x", client_id=f"client{n}").status for n in range(times)]
    assert answers == [401] * rate_limits.address_limit() + [429] * 3
    assert anonymous.get("/msi/", secret="wrong").status == 429
