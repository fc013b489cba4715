"""The documents in studio/docs name only what exists, and comments cite headings that exist."""

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import resolve

from studio.api.missing import Missing

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "studio" / "docs"
NAMES = sorted(path.name for path in DOCS.glob("*.md"))
SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
NUMBER = r"\d+(?:\.\d+)?"
CITATION = re.compile(rf"wire\.md\)? ({NUMBER}(?:(?:, | and | to ){NUMBER})*)")
CODE = re.compile(r"`([^`\n]+)`")
# What a client, another library or a person outside this project calls so.
FOREIGN = {"logs/azureml/executionlogs.txt", "azureml-logs/70_driver_log.txt"}


def files(*endings: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.splitlines() if name.endswith(endings)]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def words(name: str) -> list[str]:
    """What a document sets in `code`, outside of blocks."""
    text = re.sub(r"^```.*?^```", "", (DOCS / name).read_text(), flags=re.M | re.S)
    return CODE.findall(text)


def test_each_citation_of_the_wire_names_a_heading():
    headings = set(re.findall(rf"^#+ ({NUMBER})\.? ", (DOCS / "wire.md").read_text(), re.M))
    cited = [
        (f"{path.relative_to(ROOT)}", number)
        for path in files(".py", ".md", ".html", ".toml")
        for found in CITATION.findall(path.read_text())
        for number in re.findall(NUMBER, found)
    ]
    assert len(cited) > 80
    assert [each for each in cited if each[1] not in headings] == []


def test_no_comment_cites_a_document_that_is_not_here():
    gone = re.compile(
        rf"\bdesign section|\b[Ww]ire {NUMBER}|\bdesign\.md\b|house[- ]style|studio-ui|azureml-wire|§"
    )
    assert [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files(".py", ".md", ".html", ".toml")
        if (found := gone.search(path.read_text()))
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_path_that_a_document_names_exists(name):
    paths = [
        word
        for word in words(name)
        if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*(/|\.(py|html|md|toml|js|css))", word)
        and word not in FOREIGN
    ]
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_dotted_name_that_a_document_names_exists(name):
    dotted = [
        word for word in words(name) if re.fullmatch(r"(studio|endpoints|runs)(\.\w+)+", word)
    ]
    assert [word for word in dotted if not _exists(word)] == []


def _exists(dotted: str) -> bool:
    module, _, name = dotted.rpartition(".")
    try:
        import_module(dotted)
    except ModuleNotFoundError:
        try:
            owner = import_module(module)
        except ModuleNotFoundError:
            above, _, of_class = module.rpartition(".")
            owner = getattr(import_module(above), of_class, None)
        return hasattr(owner, name)
    return True


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_that_a_document_names_exists(name):
    known = (ROOT / "README.md").read_text()
    named = set(re.findall(r"\bSTUDIO_\w+", (DOCS / name).read_text()))
    assert {
        word for word in named if not hasattr(settings, word) and f"`{word}`" not in known
    } == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_address_that_a_document_names_is_served(name):
    letters = dict(
        re.findall(r"^\| `([A-Z]+)` \| `(/[^`]*W[^`]*)` \|", (DOCS / "wire.md").read_text(), re.M)
    )
    assert len(letters) > 10
    calls = re.findall(
        r"`(GET|POST|PUT|PATCH|DELETE) ([^`\s]+)`", "\n".join(f"`{word}`" for word in words(name))
    )
    assert [
        f"{method} {address}" for method, address in calls if not _served(method, address, letters)
    ] == []


def _served(method: str, address: str, letters: dict[str, str]) -> bool:
    start, slash, rest = address.partition("/")
    path = f"{letters[start]}{slash}{rest}" if start in letters else address
    path = path.replace("W", SCOPE, 1) if start in {*letters, "W"} or "W/" in path else path
    path = re.sub(r"\{[^}]*\}", str(uuid4()), path)
    view = resolve(path).func
    handler = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return handler is not Missing and (handler is None or hasattr(handler, method.lower()))


def test_each_room_of_the_import_contracts_is_described():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    lines = contracts["contracts"][0]["layers"]
    rooms = {room.strip() for line in lines for room in line.split("|")}
    assert rooms - set(words("architecture.md")) == set()
