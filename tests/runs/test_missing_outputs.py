"""What a step stored is known: what is gone of it is missed by name, and a result without it is not reused."""

import json
import shutil
from threading import Timer
from uuid import uuid4

import pytest

from endpoints import data
from endpoints.models import Datastore
from runs import engine
from runs.engine import stored_outputs
from runs.models import PipelineRun
from runs.states import Status
from studio.storage.store import studio_store
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db

MAKE = """
    import os, sys
    os.makedirs(sys.argv[1] + "/deep", exist_ok=True)
    open(sys.argv[1] + "/a.csv", "w").write("1,2")
    open(sys.argv[1] + "/deep/b.csv", "w").write("3")
"""
READ = """
    import os, sys
    print(sorted(os.listdir(sys.argv[1])))
"""


@pytest.fixture
def pipeline(studio):
    """`one` makes files and may be reused; `two` lists them."""

    def publish(*, make=MAKE, mode="mount"):
        return studio.publish(
            steps={
                "one": {
                    "allow_reuse": True,
                    "arguments": ["output:made"],
                    "outputs": {"made": {"destination": "mid"}},
                },
                "two": {
                    "arguments": ["input:got"],
                    "inputs": {"got": {"source": "mid", "bind_mode": mode}},
                },
            },
            scripts={"one.py": make, "two.py": READ},
        )

    return publish


def place_of(studio, run, name="one"):
    place = studio.step(run, name).outputs["made"]
    return place, data.locate(run.workspace, place["datastore"], place["path"])


def said(studio, run):
    return log_of(studio.step(run, "two").run.uuid).decode().strip()


def test_what_was_stored_is_recorded(studio, pipeline):
    run = studio.run(pipeline())
    place, _ = place_of(studio, run)
    assert (place["stored"]["files"], place["stored"]["bytes"]) == (2, 4)
    listed = b"".join(studio_store().stream(place["stored"]["listing"]))
    assert listed == b'{"a.csv": 3, "deep/b.csv": 1}'


@pytest.mark.parametrize("how", ["one file", "another size", "the folder", "its list"])
def test_a_result_that_is_gone_is_not_reused(studio, pipeline, how):
    published = pipeline()
    place, location = place_of(studio, studio.run(published))
    again = studio.run(published)
    assert studio.step(again).reused_from is not None
    if how == "one file":
        (location.local / "deep/b.csv").unlink()
    elif how == "another size":
        (location.local / "a.csv").write_text("other")
    elif how == "the folder":
        shutil.rmtree(location.local)
    else:
        (studio.path / "storage" / place["stored"]["listing"]).unlink()
    run = studio.run(published)
    assert run.status == Status.COMPLETED, run.error
    step = studio.step(run)
    assert step.reused_from is None
    assert step.reuse_reason.startswith("Ran because workspaceblobstore/")
    assert "of the earlier result is gone" in step.reuse_reason
    assert said(studio, run) == "['a.csv', 'deep']"
    # The next one takes what is there now.
    assert studio.step(studio.run(published)).reused_from == step


@pytest.mark.parametrize("mode", ["mount", "download"])
@pytest.mark.parametrize("gone", ["a.csv", ""])
def test_a_missing_output_of_an_earlier_step_fails_by_name(studio, pipeline, mode, gone):
    published = pipeline(mode=mode)
    run = studio.submit(published)
    claim = engine.claim(studio.worker.name, ["cpu-cluster"])
    with studio.worker._stop_flag_for(claim) as flag:
        engine.advance(claim.run_id, after=engine.execute(claim, flag, studio.worker.watchdog))
    _, location = place_of(studio, run)
    (location.local / "a.csv").unlink() if gone else shutil.rmtree(location.local)
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "The output made of step one is incomplete: a.csv is gone from" in run.error


def test_an_output_that_was_left_empty_is_an_empty_folder(studio, pipeline):
    published = pipeline(make="import os, sys; os.makedirs(sys.argv[1])")
    for _ in range(2):  # also when it is reused
        run = studio.run(published)
        assert run.status == Status.COMPLETED, run.error
        assert said(studio, run) == "[]"
        assert place_of(studio, run)[0]["stored"] == {"files": 0, "bytes": 0}
    assert studio.step(run).reused_from is not None


def test_an_output_that_is_one_file(studio, pipeline):
    published = pipeline(make="import sys; open(sys.argv[1], 'w').write('x')", mode="download")
    run = studio.submit(published)
    studio.work()
    place, location = place_of(studio, run)
    assert place["stored"]["files"] == 1
    assert studio.step(studio.run(published)).reused_from is not None
    location.local.unlink()
    assert studio.step(studio.run(published)).reused_from is None


@pytest.fixture
def reader(studio):
    """A pipeline whose step lists a data path that callers choose."""
    return studio.publish(
        parameters={
            "where": {
                "type": "datapath",
                "default": {"datastore": "workspaceblobstore", "path_on_datastore": "none/here"},
            }
        },
        steps={"two": {"arguments": ["input:got"], "inputs": {"got": {"source": "where"}}}},
        scripts={"two.py": READ},
    )


def test_a_data_path_with_nothing_there_is_an_empty_folder_and_said(studio, reader):
    run = studio.run(reader)
    assert run.status == Status.COMPLETED, run.error
    assert said(studio, run) == "[]"
    text = "There is nothing at workspaceblobstore/none/here: the input got is empty."
    assert studio.step(run, "two").warnings == [text]
    assert PipelineRun.objects.get(run=run).warnings == [text]


def test_a_store_that_cannot_be_reached_is_no_empty_folder(studio, reader):
    lost = studio.path / "not-mounted"
    Datastore.objects.update(url=f"file://{lost}")
    run = studio.run(reader)
    assert run.status == Status.FAILED
    assert "Datastore workspaceblobstore cannot be reached" in run.error
    lost.mkdir()
    assert studio.run(reader).status == Status.COMPLETED


def test_a_listing_is_replaced_as_a_whole(folders):
    """A worker that dies while it writes the new listing leaves the old one, so that the files can be found."""
    place = {"datastore": "store", "path": "a"}
    of_one = {"run": uuid4(), "attempt": 1, "port": "made"}

    def record(size: int) -> str:
        files = [data.Entry("a/1.txt", size)]
        return stored_outputs.record(place, files, **of_one)["stored"]["listing"]

    with studio_store().open(record(1)) as before:
        listing = record(2)
        assert json.load(before) == {"1.txt": 1}
    assert stored_outputs.read_listing(listing) == {"1.txt": 2}


def test_outputs_wait_for_a_store_that_cannot_be_reached(studio, pipeline):
    share, made = studio.path / "not-mounted", []
    Datastore.objects.update(url=f"file://{share}")
    back = Timer(2, lambda: made.append(share.mkdir()))  # which fails if a step has made it
    back.start()
    run = studio.run(pipeline())
    back.join()
    assert made == [None]
    assert run.status == Status.COMPLETED, run.error
