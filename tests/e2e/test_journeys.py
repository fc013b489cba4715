"""What a person does, in a real browser on the real studio, with and without JavaScript."""

import re
import time

import pytest

PAGES = (
    "/",
    "/pipelines/runs/",
    "/pipelines/endpoints/",
    "/pipelines/published/",
    "/pipelines/new/",
    "/datasets/",
    "/datastores/",
    "/compute/",
    "/tokens/",
    "/tokens/new/",
    "/workspace/",
)


def wait_for_status(page, word: str, *, seconds: float = 60):
    """The badge beside the heading says so by itself, or, without scripts, after a reload."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if word in page.locator("main").first.inner_text():
            return
        page.wait_for_timeout(300)
        page.reload()
    raise AssertionError(page.locator("main").first.inner_text())


def submit(page, endpoint: str, **values):
    """Fill and send the submit form of an endpoint as a person does; ends on the run's page."""
    page.goto("/pipelines/endpoints/")
    page.get_by_role("link", name=endpoint, exact=True).first.click()
    page.goto(page.url.split("?")[0] + "new-run/")
    page.get_by_label("Create new").check()
    page.locator("[name=new_experiment]").fill("journeys")
    for name, value in values.items():
        page.locator(f"[name=param_{name}]").fill(value)
    page.get_by_role("main").get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))


def test_a_run_from_the_browser_shows_its_steps_and_its_log(page):
    submit(page, "compare", pipeline_arg="20")
    run = page.url
    wait_for_status(page, "Completed")
    page.goto(run.split("?")[0] + "steps/")
    table = page.locator("main").inner_text()
    assert all(step in table for step in ("train", "extract", "compare"))
    page.goto(run.split("?")[0] + "parameters/")
    assert "20" in page.locator("main").inner_text()


def test_a_wrong_value_is_named_beside_its_field(page):
    page.goto("/pipelines/endpoints/")
    page.get_by_role("link", name="compare", exact=True).first.click()
    page.goto(page.url.split("?")[0] + "new-run/")
    page.locator("[name=param_pipeline_arg]").fill("twenty")
    page.get_by_role("main").get_by_role("button", name="Submit").click()
    assert "twenty" in page.locator("main").inner_text()
    assert "/new-run/" in page.url


def test_disabling_an_endpoint_refuses_callers_and_enabling_lets_them_in(page, live_studio):
    page.goto("/pipelines/endpoints/")
    page.get_by_role("link", name="datapath", exact=True).first.click()
    address = page.url.split("?")[0]
    page.goto(address + "disable/")
    page.get_by_role("main").get_by_role("button", name="Disable").last.click()
    status, reply = live_studio.call("POST", "/endpoints/datapath/submit", {"ExperimentName": "x"})
    assert status == 400
    assert "disabled" in reply["error"]["message"]
    page.goto(address)
    page.get_by_role("button", name="Enable").first.click()
    status, reply = live_studio.call("POST", "/endpoints/datapath/submit", {"ExperimentName": "x"})
    assert status == 200, reply


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_on_a_small_screen(page, path):
    page.set_viewport_size({"width": 320, "height": 700})
    reply = page.goto(path)
    assert reply.status == 200
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_refresh_moves_neither_ticks_nor_focus(page, scripts):
    if not scripts:
        pytest.skip("nothing refreshes itself without scripts")
    page.goto("/pipelines/endpoints/")
    page.get_by_label("Select flaky").check()
    page.get_by_role("link", name="flaky", exact=True).focus()
    page.evaluate(
        "document.querySelector('#catalogue').dataset.old = '1';"
        "htmx.ajax('GET', '/pipelines/endpoints/', {target: '#catalogue', swap: 'outerHTML'})"
    )
    page.wait_for_selector("#catalogue:not([data-old])")
    assert page.get_by_label("Select flaky").is_checked()
    assert page.evaluate("document.activeElement.textContent") == "flaky"
