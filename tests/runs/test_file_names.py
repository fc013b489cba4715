"""Files whose names nobody would choose: stored as they are, shown so that they can be read, and found by
every link. What the database cannot hold is left out by name, and everything else is kept."""

import html
import io
import re
import zipfile
from pathlib import PurePosixPath

import pytest
from django.urls import reverse

from endpoints import data
from endpoints.models import Datastore
from runs.models import Artifact
from runs.states import Status
from studio.core import file_names
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db

ODD = ["bell\x07.txt", "new\nline.txt", "back\\slash.txt", "%41.txt", "q?#&<é>.txt", "100%.txt"]
BROKEN = "caf\udce9.txt"  # Latin-1, as old archives and file servers have it
WRITE = """
    import os, sys
    for folder in ("outputs", sys.argv[1]):
        os.makedirs(folder, exist_ok=True)
        for name in eval(sys.argv[2]):
            with open(os.path.join(folder, name), "w") as file:
                file.write(ascii(name))
"""
READ = "import os, sys; print(ascii(sorted(os.listdir(sys.argv[1]))))"


@pytest.fixture
def ran(studio):
    def run(given):
        pipeline = studio.publish(
            steps={
                "one": {
                    "arguments": ["output:made", ascii(given)],
                    "outputs": {"made": {"destination": "mid"}},
                },
                "two": {"arguments": ["input:got"], "inputs": {"got": {"source": "mid"}}},
            },
            scripts={"one.py": WRITE, "two.py": READ},
        )
        return studio.run(pipeline)

    return run


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain é.txt", "plain é.txt"),
        ("bell\x07", "bell\\x07"),
        ("new\nline", "new\\nline"),
        ("caf\udce9", "caf\\xe9"),
        ("back\\slash", "back\\slash"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_shown(name, shown):
    assert file_names.shown(name) == shown


def links(text: str, holding: str) -> list[str]:
    found = re.findall(r'href="([^"]+)"', text)
    return [html.unescape(link) for link in found if holding in link]


def body(reply) -> str:
    assert reply.status_code == 200, reply
    return b"".join(reply.streaming_content).decode()


def test_files_of_any_name_reach_the_next_step_and_every_page(studio, ran, client):
    run = ran(ODD)
    assert run.status == Status.COMPLETED, run.error
    said = log_of(studio.step(run, "two").run.uuid).decode()
    assert said == f"{sorted(ODD)!a}\n"
    assert set(Artifact.objects.values_list("path", flat=True)) == {f"outputs/{n}" for n in ODD}
    client.force_login(studio.actor.user)
    page = client.get(
        reverse("runs:run-outputs", args=[run.uuid]) + f"?step={studio.step(run).run.uuid}"
    )
    text = page.content.decode()
    for shown in ("bell\\x07.txt", "new\\nline.txt", "back\\slash.txt", "q?#&amp;&lt;é&gt;.txt"):
        assert text.count(shown) >= 2, shown
    for kind in ("/files/", "/data/"):
        found = {link.partition("?download")[0] for link in links(text, kind)}
        assert {body(client.get(link)) for link in found} == set(map(ascii, ODD))
    zipped = client.get(reverse("runs:run-zip", args=[run.uuid]))
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped.streaming_content))) as archive:
        kept = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {"bell\\x07.txt".replace("\\", "_"), "back_slash.txt", "q?#&<é>.txt"} <= kept


def test_names_that_are_no_utf8_are_kept_by_file_systems_and_shown(studio, ran, client):
    """In a datastore that is a folder; the database of artifacts cannot hold them."""
    run = ran([BROKEN, "a.txt"])
    step = studio.step(run)
    assert run.status == Status.FAILED
    assert (
        "Everything was stored except 1 file" in step.run.error and "caf\\xe9.txt" in step.run.error
    )
    assert [row.path for row in step.run.artifacts.all()] == ["outputs/a.txt"]
    place = step.outputs["made"]
    assert place["stored"]["files"] == 2
    client.force_login(studio.actor.user)
    page = client.get(reverse("runs:run-outputs", args=[run.uuid]) + f"?step={step.run.uuid}")
    assert "caf\\xe9.txt" in page.content.decode()
    found = {link.partition("?download")[0] for link in links(page.content.decode(), "/data/")}
    assert {body(client.get(link)) for link in found} == {ascii(BROKEN), ascii("a.txt")}
    page = client.get(
        reverse("endpoints:datastore-detail", args=[place["datastore"]]), {"path": place["path"]}
    )
    assert "caf\\xe9.txt" in page.content.decode()
    (link,) = links(page.content.decode(), "quoted=")
    store = reverse("endpoints:datastore-detail", args=[place["datastore"]])
    assert body(client.get(store + link)) == ascii(BROKEN)


def test_a_folder_of_any_name_is_opened(studio, client):
    store = Datastore.objects.get(workspace=studio.actor.workspace)
    top = data.resolve(store, "odd").local
    for name in (BROKEN, *ODD):
        folder = top / f"in {name}"
        folder.mkdir(parents=True)
        (folder / name).write_text(ascii(name))
    client.force_login(studio.actor.user)
    address = reverse("endpoints:datastore-detail", args=[store.name])
    text = client.get(address, {"path": "odd"}).content.decode()
    opened = [link for link in links(text, "=odd%2F") if "download" not in link]
    assert len(opened) == len(ODD) + 1
    read = set()
    for link in opened:
        inside = client.get(address + link)
        (file,) = links(inside.content.decode(), "download=1")
        read.add(body(client.get(address + file)))
    assert read == {ascii(name) for name in (BROKEN, *ODD)}


def test_a_name_that_only_a_file_system_holds_is_left_out_elsewhere(workspace, tmp_path, settings):
    settings.STUDIO_STORAGE_URL = "memory://names"
    (tmp_path / "out").mkdir()
    for name in (*ODD, BROKEN):
        (tmp_path / "out" / name).write_text("x")
    store = workspace.datastores.get()
    taken = data.upload_tree(tmp_path / "out", data.resolve(store, "kept"))
    assert taken.left_out == [BROKEN]
    assert {PurePosixPath(entry.path).name for entry in taken.files} == set(ODD)
