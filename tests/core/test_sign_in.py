"""Signing in and out and the own password: on record, counted, and slow to guess."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from studio.core import rate_limits
from studio.core.models import AuditEvent, Door, SignInTries
from tests import factories

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"
SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime(2026, 11, 5, 12, 30, 5, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def ada(actor):
    actor.user.set_password(SECRET)
    actor.user.save()
    return actor.user


def sign_in(name: str, password: str, *, address: str = HERE, client: Client | None = None):
    form = {"username": name, "password": password}
    return (client or Client()).post(reverse("sign-in"), form, REMOTE_ADDR=address)


def rows(**where) -> list[tuple]:
    found = AuditEvent.objects.filter(workspace=None, **where).order_by("pk")
    return list(found.values_list("verb", "actor", "address", "count"))


def test_signing_in_and_out_are_on_record(ada):
    client = Client()
    assert sign_in(ada.username, SECRET, client=client).status_code == 302
    client.post(reverse("sign-out"), REMOTE_ADDR=HERE)
    assert rows() == [("sign in", ada.username, HERE, 1), ("sign out", ada.username, HERE, 1)]
    event = AuditEvent.objects.first()
    assert (event.user, event.kind, event.object_uuid) == (ada, "User", ada.uuid)
    assert event.door == Door.PAGE
    assert AuditEvent.objects.last().kind == "User"


def test_what_fails_is_counted_and_holds_no_password(ada):
    for _ in range(3):
        sign_in(ada.username, "hunter2")
    sign_in("nobody", "hunter2")
    assert rows() == [
        ("sign-in failed", ada.username, HERE, 3),
        ("sign-in failed", "nobody", HERE, 1),
    ]
    assert "hunter2" not in str(AuditEvent.objects.values())


def test_a_name_is_locked_for_the_minute_and_the_log_says_whom_and_where(ada, clock, caplog):
    for _ in range(rate_limits.limit() - 1):
        assert sign_in(ada.username, "no").status_code == 200
    locked = sign_in(ada.username, "no")
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "55")
    assert "Wait a minute" in locked.content.decode()
    assert f"user='{ada.username}' address={HERE}" in caplog.text
    assert sign_in(ada.username, SECRET).status_code == 429
    assert rows(verb="sign-in locked") == [("sign-in locked", ada.username, HERE, 2)]
    assert sign_in(ada.username, SECRET, address=ELSEWHERE).status_code == 302
    clock.shift(60)
    assert sign_in(ada.username, SECRET).status_code == 302


def test_a_success_resets_nobodys_count(ada, workspace):
    bob = factories.actor(workspace)
    for _ in range(rate_limits.limit() - 1):
        sign_in(bob.name, "no")
        assert sign_in(ada.username, SECRET).status_code == 302
    assert sign_in(bob.name, "no").status_code == 429
    assert SignInTries.objects.order_by("-count").first().count == rate_limits.limit()


def spray(*, address: str = HERE) -> list[int]:
    times = rate_limits.limit() * rate_limits.NAMES_PER_ADDRESS + 5
    return [sign_in(f"name{n}", "Winter2026", address=address).status_code for n in range(times)]


def test_spraying_names_from_one_address_is_slowed_down(ada):
    answers = spray()
    most = rate_limits.limit() * rate_limits.NAMES_PER_ADDRESS
    assert answers == [200] * (most - 1) + [429] * 6
    assert sign_in(ada.username, SECRET).status_code == 429
    assert sign_in(ada.username, SECRET, address=ELSEWHERE).status_code == 302


def test_who_signed_in_at_an_address_before_is_not_locked_out_by_its_others(ada, clock):
    sign_in(ada.username, SECRET)
    clock.shift(60)
    spray()
    assert sign_in(ada.username, SECRET).status_code == 302
    for _ in range(rate_limits.limit()):
        last = sign_in(ada.username, "no")
    assert last.status_code == sign_in(ada.username, SECRET).status_code == 429


def test_hammering_at_one_name_locks_no_other_of_the_address(ada):
    for _ in range(rate_limits.limit() * rate_limits.NAMES_PER_ADDRESS + 5):
        sign_in("bob", "no")
    assert sign_in(ada.username, SECRET).status_code == 302


def test_the_addresses_of_one_ipv6_network_are_one(ada):
    for number in range(rate_limits.limit()):
        last = sign_in(ada.username, "no", address=f"2001:db8::{number + 1:x}")
    assert last.status_code == 429
    assert sign_in(ada.username, SECRET, address="2001:db8:0:1::1").status_code == 302


def test_blanks_and_wide_letters_are_no_further_names(ada):
    for number in range(rate_limits.limit()):
        last = sign_in(" " * number + ada.username, "no")
    assert last.status_code == 429


@pytest.mark.parametrize("name", ["x" * 100_000, "한" * 200])
def test_a_name_that_nobody_can_have_is_one_more_that_fails(db, name):
    assert sign_in(name, "no").status_code == 200
    assert len(AuditEvent.objects.get(verb="sign-in failed").actor) <= 150


def test_counts_of_older_minutes_are_removed(ada, clock):
    spray()
    clock.shift(60)
    sign_in(ada.username, "no")
    assert SignInTries.objects.count() == 2


def test_behind_a_proxy_its_callers_are_counted(ada):
    def ask(forwarded, password):
        form = {"username": ada.username, "password": password}
        headers = {"x-forwarded-for": forwarded}
        return Client().post(reverse("sign-in"), form, headers=headers, REMOTE_ADDR="127.0.0.1")

    for _ in range(rate_limits.limit()):
        last = ask("203.0.113.9", "no")
    assert last.status_code == 429
    assert ask("203.0.113.10", SECRET).status_code == 302
    # What the caller sent itself stands in front and makes nobody else of it.
    assert ask("203.0.113.11, 203.0.113.9", SECRET).status_code == 429


def change(client, old, new="quite another one", again=None):
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("password"), form, REMOTE_ADDR=HERE)


def test_a_person_changes_the_own_password_and_other_browsers_end(ada):
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(ada)
    assert reverse("password") in here.get("/tokens/").content.decode()
    assert here.get(reverse("password")).status_code == 200
    assert change(here, SECRET).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password("quite another one")
    assert here.get("/tokens/").status_code == 200
    assert there.get("/tokens/").status_code == 302
    event = AuditEvent.objects.get(verb="change password")
    assert (event.actor, event.address, event.object_uuid) == (ada.username, HERE, ada.uuid)
    assert event.kind == "User"
    text = str(AuditEvent.objects.values())
    assert "another one" not in text
    assert ada.password not in text


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "quite another one", None, "old_password"),
        (SECRET, "short", None, "new_password2"),
        (SECRET, "quite another one", "a third one", "new_password2"),
        (SECRET, "password", None, "new_password2"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(ada, old, new, again, field):
    client = Client()
    client.force_login(ada)
    reply = change(client, old, new, again)
    assert reply.context["form"].errors.keys() == {field}
    ada.refresh_from_db()
    assert ada.check_password(SECRET)


def test_the_own_password_is_not_guessed_on_its_page_either(ada):
    client = Client()
    client.force_login(ada)
    for _ in range(rate_limits.limit()):
        reply = change(client, "no")
    assert "Wait a minute" in reply.content.decode()
    assert "Wait a minute" in change(client, SECRET).content.decode()


def test_the_admin_has_no_sign_in_and_no_password_page_of_its_own(ada):
    reply = Client().get("/admin/login/?next=/admin/core/")
    assert reply.headers["Location"] == "/sign-in/?next=/admin/core/"
    assert Client().post("/admin/login/", {"username": ada.username, "password": SECRET}).url
    assert not AuditEvent.objects.exists()
    client = Client()
    client.force_login(ada)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/password_change/").headers["Location"] == reverse("password")
    client.post("/admin/logout/")
    assert rows() == [("sign out", ada.username, "127.0.0.1", 1)]


def test_who_is_no_staff_is_told_so(ada):
    client = Client()
    client.force_login(ada)
    page = client.get(reverse("sign-in") + "?next=/admin/", follow=True)
    assert page.status_code == 403
    assert "for staff" in page.content.decode()


def test_the_limit_is_the_setting(ada):
    assert rate_limits.limit() == settings.STUDIO_LOGIN_TRIES_PER_MINUTE
