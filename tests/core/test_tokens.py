"""Tokens: shown once, stored as a digest, dead when revoked, expired or their user is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from studio.core import access, tokens
from studio.core.models import Token
from studio.core.tokens import actor_from

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(actor):
    return tokens.issue(user=actor.user, workspace=actor.workspace, name="ci")


def test_a_token_is_url_safe_and_not_stored(issued):
    token, plain = issued
    assert plain.startswith("studio_")
    assert plain.replace("-", "").replace("_", "").isalnum()
    assert plain not in str(Token.objects.values().get(pk=token.pk))


def test_plain_token_and_its_jwt_act_as_the_user(issued, actor):
    token, plain = issued
    text, seconds = tokens.jwt_for(token, tenant="any-tenant")
    assert 0 < seconds <= tokens.JWT_SECONDS
    assert tokens.decode(text)["tid"] == "any-tenant"
    for key in (plain, text):
        assert actor_from(key).user == actor.user
        assert actor_from(key).workspace == actor.workspace


@pytest.mark.parametrize("ending", ["revoked", "expired", "user inactive"])
def test_a_jwt_dies_with_its_token(issued, ending):
    token, plain = issued
    text, _ = tokens.jwt_for(token)
    if ending == "revoked":
        tokens.revoke(access.actor_for(token.user, token.workspace), token)
    elif ending == "expired":
        Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        token.user.is_active = False
        token.user.save()
    assert actor_from(plain) is None
    assert actor_from(text) is None


@pytest.mark.parametrize("key", ["", "studio_", "studio_wrong", "a.b.c", "x" * 5000])
def test_nonsense_is_nobody(key):
    assert actor_from(key) is None


def test_a_jwt_signed_by_somebody_else_is_nobody(issued, settings):
    token, _ = issued
    text, _ = tokens.jwt_for(token)
    settings.SECRET_KEY = "another-key-another-key-another-key"
    assert actor_from(text) is None


def test_last_use_is_noted_at_most_once_a_minute(issued):
    token, plain = issued
    tokens.from_plain(plain)
    first = Token.objects.get(pk=token.pk).last_used_at
    tokens.from_plain(plain)
    assert first is not None
    assert Token.objects.get(pk=token.pk).last_used_at == first
