"""The Korean texts: all of them there, with the placeholders of the English, and compiled."""

import ast
import gettext
import re
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from endpoints import services
from tests import factories

FOLDER = settings.LOCALE_PATHS[0] / "ko" / "LC_MESSAGES"
LINE = re.compile(r'^(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])? )?(".*")$')
PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*[\d.]*[a-zA-Z]|\{\w*\}")
TAG = re.compile(r"</?[a-z][^>]*>")


@dataclass
class Entry:
    flags: set = field(default_factory=set)
    texts: dict = field(default_factory=dict)

    @property
    def context(self):
        return self.texts.get("msgctxt")

    @property
    def sources(self) -> list[str]:
        return [self.texts[name] for name in ("msgid", "msgid_plural") if name in self.texts]

    @property
    def translations(self) -> list[str]:
        return [text for name, text in self.texts.items() if name.startswith("msgstr")]

    @property
    def key(self):
        """What the compiled catalogue files it under."""
        msgid = self.texts["msgid"]
        text = msgid if self.context is None else f"{self.context}\x04{msgid}"
        return (text, 0) if "msgid_plural" in self.texts else text


def parse(text: str) -> list[Entry]:
    entries = []
    for block in re.split(r"\n\s*\n", text):
        entry, current = Entry(), None
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags |= {flag.strip() for flag in line[2:].split(",")}
            elif match := LINE.match(line):
                keyword, index, quoted = match.groups()
                if keyword:
                    current = keyword if index is None else f"{keyword}{index}"
                    entry.texts[current] = ""
                entry.texts[current] += ast.literal_eval(quoted)
            else:
                assert line.startswith("#") or not line.strip(), f"cannot read: {line}"
        if entry.texts:
            entries.append(entry)
    return entries


@pytest.fixture(scope="module")
def entries():
    """Every entry but the header."""
    found = parse((FOLDER / "django.po").read_text(encoding="utf-8"))
    assert found[0].texts["msgid"] == ""
    assert "nplurals=1" in found[0].texts["msgstr"]
    assert not found[0].flags
    assert len(found) > 500
    return found[1:]


def test_every_text_is_translated_and_none_is_a_guess(entries):
    untranslated = [e.sources for e in entries if not all(e.translations) or not e.translations]
    assert untranslated == []
    assert [e.sources for e in entries if "fuzzy" in e.flags] == []


def test_placeholders_and_markup_are_those_of_the_english(entries):
    """With one form for every number, a Korean text may follow the singular or the plural."""
    for pattern in (PLACEHOLDER, TAG):
        wrong = [
            (entry.sources, text)
            for entry in entries
            for text in entry.translations
            if sorted(pattern.findall(text))
            not in [sorted(pattern.findall(source)) for source in entry.sources]
        ]
        assert wrong == []


def test_the_compiled_file_is_that_of_the_texts(entries):
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)
    compiled.pop("")
    assert compiled == {entry.key: entry.translations[0] for entry in entries}


def test_a_question_used_with_and_without_a_number_fits_both():
    """Its placeholders must be what both callers give: the name."""
    with translation.override("ko"):
        one = translation.gettext("Disable %(name)s?")
        some = translation.ngettext("Disable %(name)s?", "Disable %(number)d of these?", 2)
    assert "daily" in one % {"name": "daily"}
    assert "daily" in some % {"name": "daily", "number": 2}


@pytest.mark.django_db
def test_a_browser_that_asks_for_korean_gets_it():
    client = Client(headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"})
    page = client.get(reverse("sign-in")).content.decode()
    assert '<html lang="ko"' in page
    assert "로그인" in page
    assert "Sign in" not in page
    english = Client().get(reverse("sign-in")).content.decode()
    assert '<html lang="en"' in english
    assert "Sign in" in english


@pytest.mark.django_db
def test_a_refusal_is_korean_on_a_page_and_english_over_rest(client, actor, workspace):
    endpoint = factories.endpoint(workspace, "daily")
    services.disable(actor, endpoint)
    asked = {"accept-language": "ko-KR", "authorization": f"Bearer {factories.token(actor)}"}
    door = f"/endpoints/{endpoint.uuid}/submit"
    named = {"ExperimentName": "growth"}
    reply = client.post(door, named, content_type="application/json", headers=asked)
    assert reply.json()["Error"]["Message"] == "Pipeline endpoint daily is disabled."
    unknown = client.post(door, headers={"accept-language": "ko"})
    assert unknown.json()["Error"]["Message"].isascii()
    client.force_login(actor.user)
    place = reverse("runs:endpoint-submit", args=[endpoint.uuid])
    page = client.get(place, headers={"accept-language": "ko-KR"}).content.decode()
    assert "파이프라인 엔드포인트 daily은(는) 사용 안 함 상태입니다." in page
