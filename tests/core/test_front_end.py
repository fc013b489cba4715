"""Guards over templates, scripts and style sheets: what a strict policy or a reader would trip over."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "studio" / "core" / "static" / "studio"
PAGES = sorted(p for p in TEMPLATES.rglob("*") if p.suffix in (".html", ".svg"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))


def name(path):
    return path.relative_to(TEMPLATES if TEMPLATES in path.parents else STATIC).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_templates_compile_and_carry_nothing_inline(page):
    get_template(name(page))
    text = page.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|javascript:|<style", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_icons_exist(page):
    known = set(re.findall(r'symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    used = set(re.findall(r'\{% icon "([\w-]+)" %\}', page.read_text()))
    used |= set(
        re.findall(r'\{% command (?:_\("[^"]*"\)|"[^"]*"|\S+) "([\w-]+)"', page.read_text())
    )
    assert used <= known


def test_the_error_page_needs_neither_request_nor_database():
    assert "Something went wrong" in get_template("500.html").render()


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_scripts_are_short_and_stand_alone(script):
    text = script.read_text()
    assert text.count("\n") <= 120
    assert not re.search(
        r"^\s*(?:import|export)\b|\beval\(|innerHTML|https?://", text, re.MULTILINE
    )


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _pairs():
    tones = ("ok", "run", "wait", "bad", "warn", "idle", "accent")
    for ground in ("page", "card", "sunken"):
        yield from ((ink, ground, 4.5) for ink in ("text", "muted", *tones))
        yield "edge", ground, 3
    for tone in tones:
        yield from (
            (tone, f"{tone}-soft", 4.5),
            ("text", f"{tone}-soft", 4.5),
            (tone, "accent-soft", 4.5),
        )
    yield from (("on-accent", "accent", 4.5), ("muted", "accent-soft", 4.5))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read_in_both_themes(theme):
    tokens = (STATIC / "css" / "tokens.css").read_text()
    colours = {
        key: pair[theme]
        for key, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", tokens)
    }
    faint = [p for p in _pairs() if _contrast(colours[p[0]], colours[p[1]]) < p[2]]
    assert faint == []
