"""A person in front of the real studio, with and without JavaScript."""

import re

import pytest


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request):
    return request.param


@pytest.fixture(scope="module")
def signed_in(browser, live_studio):
    """The cookies of somebody who has signed in."""
    context = browser.new_context(base_url=live_studio.http)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(live_studio.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/$"))
    cookies = context.storage_state()
    context.close()
    return cookies


@pytest.fixture
def page(browser, live_studio, signed_in, scripts):
    """A signed-in page; the test fails on any script error or policy violation."""
    context = browser.new_context(
        java_script_enabled=scripts, base_url=live_studio.http, storage_state=signed_in
    )
    page, problems = context.new_page(), []
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert problems == []
