"""One browser is signed in on both ports, whose cookies it does not tell apart."""

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories

SIGN_IN = "/sign-in/"


@pytest.fixture
def people(workspace):
    return [factories.actor(workspace).user for _ in range(2)]


def whoever(client, *, secure) -> str:
    request = client.get("/tokens/", secure=secure).wsgi_request
    return request.user.get_username()


def test_both_ports_have_a_sign_in_of_their_own(people):
    over_http, over_https = people
    browser = Client()
    for user, secure in ((over_http, False), (over_https, True)):
        form = {"username": user.username, "password": "pw"}
        assert browser.post(SIGN_IN, form, secure=secure).status_code == 302
    assert whoever(browser, secure=False) == over_http.username
    assert whoever(browser, secure=True) == over_https.username
    browser.post(reverse("sign-out"), secure=True)
    assert whoever(browser, secure=True) == ""
    assert whoever(browser, secure=False) == over_http.username


def test_cookies_of_https_are_for_https_and_this_host_alone(people):
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(SIGN_IN, secure=True)
    token = page.context["csrf_token"]
    form = {"username": people[0].username, "password": "pw", "csrfmiddlewaretoken": str(token)}
    reply = browser.post(SIGN_IN, form, secure=True, headers={"referer": "https://testserver/"})
    assert reply.status_code == 302
    names = {"__Host-studio_session", "__Host-csrftoken"}
    assert set(page.cookies) | set(reply.cookies) == names
    for morsel in reply.cookies.values():
        assert morsel["secure"] is True
        assert (morsel["path"], morsel["domain"], morsel["samesite"]) == ("/", "", "Lax")
    made = browser.post(
        "/tokens/new/",
        {"name": "ci", "days": 30},
        secure=True,
        headers={
            "x-csrftoken": browser.cookies["__Host-csrftoken"].value,
            "referer": "https://testserver/",
        },
    )
    assert made.status_code == 200
    gone = browser.post(
        reverse("sign-out"),
        secure=True,
        headers={
            "x-csrftoken": browser.cookies["__Host-csrftoken"].value,
            "referer": "https://testserver/",
        },
    )
    assert gone.cookies["__Host-studio_session"]["max-age"] == 0


def test_each_port_keeps_the_language_chosen_there(people):
    browser = Client()
    for secure, language in ((True, "ko"), (False, "en")):
        browser.post("/language/", {"language": language}, secure=secure)
    assert '<html lang="ko"' in browser.get(SIGN_IN, secure=True).content.decode()
    assert '<html lang="en"' in browser.get(SIGN_IN, secure=False).content.decode()
    assert browser.cookies["__Host-django_language"]["secure"] is True


def test_a_cookie_that_plain_http_can_set_is_worth_nothing_over_https(people):
    browser = Client()
    browser.force_login(people[0])
    assert whoever(browser, secure=False) == people[0].username
    assert whoever(browser, secure=True) == ""
