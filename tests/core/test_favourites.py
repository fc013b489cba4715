"""Stars: each person's own, on endpoints and published pipelines, first in the list and on Home."""

import re

import pytest
from django.urls import reverse

from studio.core.favourites import is_marked
from studio.core.models import Favourite, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace):
    return factories.endpoint(workspace, "train")


def star(client, row, *, on=True, kind="endpoint", **more):
    route = reverse(f"endpoints:{kind}-favourite", args=[row.uuid])
    return client.post(route, {"on": "1" if on else "0"}, **more)


def test_a_star_is_put_and_taken_away_and_doing_so_twice_changes_nothing(client, endpoint, as_role):
    actor = as_role(Role.READER)
    for on in (True, True, False, False):
        assert star(client, endpoint, on=on)["Location"] == endpoint.get_absolute_url()
        assert is_marked(actor, endpoint.uuid) == on


def test_a_star_is_its_persons_own(client, endpoint, as_role):
    as_role()
    star(client, endpoint)
    pressed = f'id="star-{endpoint.uuid}" aria-pressed="true"'
    assert pressed in client.get("/endpoints/").content.decode()
    as_role()
    assert pressed not in client.get("/endpoints/").content.decode()


def test_the_list_begins_with_favourites_and_may_be_sorted_by_them(client, workspace, as_role):
    as_role()
    rows = {name: factories.endpoint(workspace, name) for name in ("alpha", "beta", "gamma")}
    single = factories.pipeline(workspace, "delta")
    star(client, rows["gamma"])
    star(client, single, kind="pipeline")

    def names(query=""):
        page = client.get(f"/endpoints/{query}").content.decode()
        return re.findall(r">(alpha|beta|gamma|delta)</a>", page)

    assert names() == ["delta", "gamma", "alpha", "beta"]
    assert names("?sort=-starred") == ["beta", "alpha", "gamma", "delta"]
    assert names("?sort=name") == ["alpha", "beta", "delta", "gamma"]


def test_home_lists_favourites_of_both_kinds(client, workspace, endpoint, as_role):
    as_role()
    assert "Favourites" not in client.get("/").content.decode()
    pipeline = endpoint.default_version.pipeline
    star(client, endpoint)
    star(client, pipeline, kind="pipeline")
    page = client.get("/").content.decode()
    card = page[page.index('id="favourites-title"') : page.index('id="home-now"')]
    assert endpoint.get_absolute_url() in card
    assert pipeline.get_absolute_url() in card
    assert reverse("runs:endpoint-submit", args=[endpoint.uuid]) in card


@pytest.mark.parametrize("kind", ["endpoint", "pipeline"])
def test_the_title_carries_the_star(client, endpoint, as_role, kind):
    as_role()
    row = endpoint if kind == "endpoint" else endpoint.default_version.pipeline
    star(client, row, kind=kind)
    page = client.get(row.get_absolute_url()).content.decode()
    heading = page[page.index("<h1") : page.index('class="tabs"')]
    assert f'aria-label="Favourite: {row.name}"' in heading
    assert 'aria-pressed="true"' in heading


def test_a_script_gets_the_star_alone(client, endpoint, as_role):
    as_role()
    text = star(client, endpoint, headers={"HX-Request": "true"}).content.decode()
    assert text.startswith("<form")
    assert 'name="on" value="0"' in text


@pytest.mark.parametrize(
    ("back", "leads"),
    [("/endpoints/?q=t", "/endpoints/?q=t"), ("https://elsewhere.example/", None), ("", None)],
)
def test_a_press_leads_back_to_its_page_and_nowhere_else(client, endpoint, as_role, back, leads):
    as_role()
    route = reverse("endpoints:endpoint-favourite", args=[endpoint.uuid])
    reply = client.post(route, {"on": "1", "next": back})
    assert reply["Location"] == (leads or endpoint.get_absolute_url())


def test_what_one_may_not_see_gets_no_star(client, endpoint, as_role):
    as_role()
    foreign = factories.endpoint(factories.workspace())
    assert star(client, foreign).status_code == 404
    client.force_login(factories.user())
    assert star(client, endpoint).status_code == 403
    assert (
        client.get(reverse("endpoints:endpoint-favourite", args=[endpoint.uuid])).status_code == 405
    )
    assert not Favourite.objects.exists()
