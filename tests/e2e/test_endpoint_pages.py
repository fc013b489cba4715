"""What the pages of endpoints do in a real browser: lists that fit, stars, the panel of a step."""

import re

import pytest

from tests.e2e.waiting import wait_until

LISTS = (
    "/",
    "/pipelines/endpoints/",
    "/pipelines/published/",
    "/datasets/",
    "/datastores/",
    "/tokens/",
)
TOO_WIDE = (
    "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
)


def open_endpoint(page, name: str) -> str:
    page.goto("/pipelines/endpoints/")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(re.compile(r"/endpoints/[0-9a-f-]{36}/"))
    return page.url


def test_no_list_scrolls_sideways_on_a_screen_of_ordinary_width(page):
    for path in LISTS:
        assert page.goto(path).status == 200
        for width in (1000, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(TOO_WIDE) == 0, (path, width)


def test_each_key_of_a_body_is_shown_whole_and_on_one_line(page):
    page.goto(f"{open_endpoint(page, 'compare').partition('?')[0]}consume/")
    keys = page.locator(".body-keys .main-cell")
    for width in (320, 700, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        sizes = keys.evaluate_all(
            "keys => keys.map(key => [key.scrollWidth <= key.clientWidth,"
            " key.querySelector('code').getClientRects().length])"
        )
        assert len(sizes) > 5
        assert sizes == [[True, 1]] * len(sizes), width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_a_star_is_set_in_the_list_and_shown_at_home_and_by_the_title(page):
    page.goto("/pipelines/endpoints/")
    star = page.get_by_role("button", name="Favourite: titanic")
    assert star.get_attribute("aria-pressed") == "false"
    star.click()
    page.locator('[aria-label="Favourite: titanic"][aria-pressed="true"]').wait_for()
    page.goto("/")
    page.get_by_role("region", name="Favourites").get_by_role("link", name="titanic").first.click()
    star = page.get_by_role("button", name="Favourite: titanic")
    assert star.get_attribute("aria-pressed") == "true"
    star.click()
    page.locator('[aria-label="Favourite: titanic"][aria-pressed="false"]').wait_for()


def test_a_node_opens_its_panel_and_a_link_closes_it(page):
    address = open_endpoint(page, "compare")
    page.locator("a.node", has_text="extract").click()
    page.wait_for_url(re.compile(r"step="))
    panel = page.get_by_role("region", name="extract")
    assert "extract.py" in panel.inner_text()
    panel.get_by_role("link", name="Close").click()
    page.wait_for_url(re.compile(re.escape(address) + r"\?#node-"))
    assert page.locator("#step").count() == 0


def test_the_keyboard_opens_the_panel_and_escape_comes_back_to_the_node(page, scripts):
    if not scripts:
        pytest.skip("Escape needs scripts; the link to close is tested without")
    open_endpoint(page, "compare")
    page.locator("a.node[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.id")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"step="))
    wait_until(page, "document.activeElement.id === 'step'")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"#node-"))
    wait_until(page, f"document.activeElement.id === '{chosen}'")


def test_only_the_chosen_way_to_name_an_experiment_is_shown(page):
    page.goto(open_endpoint(page, "compare").split("?")[0] + "new-run/")
    page.get_by_label("Create new").check()
    assert page.locator("[name=new_experiment]").is_visible()
    assert not page.locator("[name=experiment]").is_visible()
