"""Logs in segments, artifacts under checked paths."""

import io
from uuid import uuid4

import pytest

from runs import logs
from runs.tracking import artifacts
from studio.core.errors import Conflict
from studio.storage.store import studio_store
from tests.runs.shown import log_of

NAME = logs.DRIVER_LOG


@pytest.fixture(params=["file", "memory"])
def uuid(request, settings, tmp_path):
    """A run of its own, in a local folder and in a store that only fsspec reaches."""
    settings.STUDIO_STORAGE_URL = (
        f"file://{tmp_path}" if request.param == "file" else f"memory://{uuid4().hex}"
    )
    return uuid4()


def test_a_log_that_is_not_there_is_empty(uuid):
    assert log_of(uuid) == b""
    assert logs.log_names(uuid) == []


def test_segments_are_joined_in_the_order_of_attempts(uuid):
    second = logs.LogWriter(uuid, NAME, attempt=2)
    first = logs.LogWriter(uuid, NAME, attempt=1)
    second.write(b"again")
    first.write(b"one ")
    first.write(b"two ")
    assert log_of(uuid) == b"one two again"
    assert logs.log_names(uuid) == [NAME]


def test_a_log_is_followed_by_its_offset(uuid):
    writer = logs.LogWriter(uuid, NAME, attempt=1)
    for text in (b"abc", b"def", b"ghi"):
        writer.write(text)
    assert log_of(uuid, start=2, limit=5) == b"cdefg"
    assert log_of(uuid, start=9) == b""


def test_a_large_write_is_cut_into_segments(uuid, monkeypatch):
    monkeypatch.setattr(logs, "SEGMENT_BYTES", 4)
    writer = logs.LogWriter(uuid, NAME, attempt=1)
    writer.write(b"0123456789")
    assert writer.segments == 3
    assert log_of(uuid) == b"0123456789"


def test_an_artifact_is_kept_and_read_in_parts(uuid, tmp_path):
    source = tmp_path / "model.pkl"
    source.write_bytes(b"weights")
    blob = artifacts.blob_of(uuid, "outputs/model.pkl")
    assert studio_store().copy_in(source, blob) == studio_store().state(blob).size == 7
    assert b"".join(studio_store().stream(blob, start=2, end=5)) == b"igh"
    assert studio_store().write(blob, io.BytesIO(b"new")) == 3
    assert studio_store().open(blob).read() == b"new"


def test_appending_costs_what_is_appended(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}"
    studio_store().write("runs/a/log.txt", io.BytesIO(b"one "))
    before = (tmp_path / "runs/a/log.txt").stat().st_ino
    assert studio_store().append("runs/a/log.txt", io.BytesIO(b"two"), at=4) == 7
    assert (tmp_path / "runs/a/log.txt").read_bytes() == b"one two"
    assert (tmp_path / "runs/a/log.txt").stat().st_ino == before


def test_appending_elsewhere_than_at_the_end_changes_nothing(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}"
    studio_store().write("late.txt", io.BytesIO(b"one two"))
    with pytest.raises(Conflict):
        studio_store().append("late.txt", io.BytesIO(b"two"), at=4)
    assert b"".join(studio_store().stream("late.txt")) == b"one two"


class Torn:
    """A stream that breaks off in the middle."""

    def __init__(self):
        self.chunks = [b"half"]

    def read(self, size=-1):
        if self.chunks:
            return self.chunks.pop()
        raise OSError("no more")


def test_an_append_that_breaks_off_leaves_nothing(uuid):
    blob = artifacts.blob_of(uuid, "torn.txt")
    studio_store().write(blob, io.BytesIO(b"whole"))
    with pytest.raises(OSError, match="no more"):
        studio_store().append(blob, Torn(), at=5)
    assert b"".join(studio_store().stream(blob)) == b"whole"


def test_every_storage_can_append(uuid):
    blob = artifacts.blob_of(uuid, "log.txt")
    studio_store().write(blob, io.BytesIO(b"one "))
    assert studio_store().append(blob, io.BytesIO(b"two"), at=4) == 7
    assert b"".join(studio_store().stream(blob)) == b"one two"
