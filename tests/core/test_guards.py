"""Guards over the tree: settings are documented, routes of the frame exist, templates stay readable."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[2]


def test_every_own_setting_has_a_row_in_the_readme():
    settings = (ROOT / "studio" / "settings.py").read_text()
    readme = (ROOT / "README.md").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"(STUDIO_\w+)"', settings))
    rows = set(re.findall(r"^\| `(STUDIO_\w+)`", readme, re.M))
    assert names - {"STUDIO_TEST_DATABASE"} == rows


@pytest.mark.parametrize("name", ["base.html", "_pipelines_tabs.html"])
def test_every_route_of_the_frame_exists(name):
    """The navigation leaves out what has no route, so a renamed one would go unseen."""
    text = (ROOT / "templates" / name).read_text()
    routes = re.findall(r'{% nav_item "[^"]*" "([^"]+)"', text)
    routes += re.findall(r'{% url "([^"]+)"', text)
    assert len(routes) >= 3
    assert text.count("{% nav_item") + text.count("{% url") == len(routes)
    for route in routes:
        assert reverse(route)


def test_no_template_line_is_longer_than_160_characters():
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    too_long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in templates
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > 160
    ]
    assert len(templates) > 100
    assert too_long == []
