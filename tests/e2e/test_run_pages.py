"""What the pages of runs do in a real browser: lists that fit, renaming."""

import re

import pytest

from tests.e2e.waiting import wait_until

TOO_WIDE = (
    "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
)
TABS = ("", "steps/", "outputs/", "metrics/", "images/", "parameters/", "snapshot/", "details/")
NAME = "x" * 120


@pytest.fixture(scope="module")
def run(live_studio):
    """A run of the sample that fails in one step, and the id of that step."""
    run = live_studio.trigger("flaky", ExperimentName="e" * 100, Tags={"team": "t" * 200})
    live_studio.wait(run)
    return run


@pytest.fixture
def failed(page, run):
    page.goto(f"/runs/{run}/")
    return page


def test_no_page_of_runs_scrolls_sideways_on_a_screen_of_ordinary_width(page, run):
    for path in ("/pipelines/runs/", "/compute/", *(f"/runs/{run}/{tab}" for tab in TABS)):
        assert page.goto(path).status == 200
        for width in (1000, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(TOO_WIDE) == 0, (path, width)


def test_no_page_of_a_run_scrolls_sideways_on_a_small_screen(page, run):
    page.set_viewport_size({"width": 320, "height": 700})
    for path in (*TABS, "cancel/", "resubmit/", "rename/"):
        assert page.goto(f"/runs/{run}/{path}").status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_a_value_is_shown_in_its_lines_and_leaves_room_for_the_others(page, live_studio):
    for text, most in (("SELECT 1\nFROM t", 60), ("y" * 100_000, 700)):
        values = {"input_string": text}
        run = live_studio.trigger("datapath", ExperimentName="e", ParameterAssignments=values)
        page.goto(f"/runs/{run}/parameters/")
        value = page.locator("tr", has=page.locator("th", has_text="input_string")).locator("code")
        assert value.first.inner_text() == text
        for width in (320, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            assert 30 < value.first.bounding_box()["height"] < most


def test_a_run_is_renamed_by_the_pencil_beside_its_name(failed, scripts, run):
    failed.get_by_role("link", name="Rename").click()
    form = failed.get_by_role("dialog") if scripts else failed.get_by_role("main")
    form.get_by_label("Display name").fill(NAME)
    form.get_by_role("button", name="Save").click()
    wait_until(failed, f"document.querySelector('h1').textContent.trim() === '{NAME}'")
    assert failed.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_script_of_its_own_has_a_page_that_the_list_links_to(page, live_studio):
    scope = live_studio.scope
    run = "6f9b2c1e-0d2a-4f7e-9c5b-1a2b3c4d5e6f"
    body = {"runId": run, "name": "sketch", "displayName": "sketch", "status": "Running"}
    place = f"/history/v1.0{scope}/experiments/notebook/runs/{run}"
    assert live_studio.call("POST", place.partition("/runs/")[0], {})[0] in (200, 201, 409)
    assert live_studio.call("PATCH", place, body)[0] == 200
    page.goto("/pipelines/runs/")
    page.get_by_role("link", name="sketch", exact=True).first.click()
    page.wait_for_url(re.compile(re.escape(f"/runs/{run}/")))
    assert page.locator("h1").inner_text() == "sketch"
    for tab in ("Metrics", "Outputs + logs", "Images", "Child runs"):
        page.get_by_role("navigation", name="Run").get_by_role("link", name=tab).click()
        assert page.locator("h1").inner_text() == "sketch"
