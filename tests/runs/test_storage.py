"""Logs in segments, artifacts under checked paths."""

import io
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from runs import storage

NAME = storage.DRIVER_LOG


@pytest.fixture(params=["file", "memory"])
def uuid(request, settings, tmp_path):
    """A run of its own, in a local folder and in a store that only fsspec reaches."""
    settings.STUDIO_STORAGE_URL = (
        f"file://{tmp_path}" if request.param == "file" else f"memory://{uuid4().hex}"
    )
    return uuid4()


def test_a_log_that_is_not_there_is_empty(uuid):
    assert storage.read_log(uuid) == b""
    assert storage.log_size(uuid) == 0
    assert storage.log_names(uuid) == []


def test_segments_are_joined_in_the_order_of_attempts(uuid):
    second = storage.LogWriter(uuid, NAME, attempt=2)
    first = storage.LogWriter(uuid, NAME, attempt=1)
    second.write(b"again")
    first.write(b"one ")
    first.write(b"two ")
    assert storage.read_log(uuid) == b"one two again"
    assert storage.log_names(uuid) == [NAME]


def test_a_log_is_followed_by_its_offset(uuid):
    writer = storage.LogWriter(uuid, NAME, attempt=1)
    for text in (b"abc", b"def", b"ghi"):
        writer.write(text)
    assert storage.read_log(uuid, start=2, limit=5) == b"cdefg"
    assert storage.read_log(uuid, start=9) == b""
    assert storage.log_size(uuid) == 9


def test_a_large_write_is_cut_into_segments(uuid, monkeypatch):
    monkeypatch.setattr(storage, "SEGMENT_BYTES", 4)
    writer = storage.LogWriter(uuid, NAME, attempt=1)
    writer.write(b"0123456789")
    assert writer.segments == 3
    assert storage.read_log(uuid) == b"0123456789"


def test_an_artifact_is_kept_and_read_in_parts(uuid, tmp_path):
    source = tmp_path / "model.pkl"
    source.write_bytes(b"weights")
    blob = storage.artifact_blob(uuid, "outputs/model.pkl")
    assert storage.put_file(blob, source) == storage.blob_size(blob) == 7
    assert b"".join(storage.stream_blob(blob, start=2, end=5)) == b"igh"
    assert storage.put_stream(blob, io.BytesIO(b"new")) == 3
    assert storage.open_blob(blob).read() == b"new"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\0b", "x" * 1001])
def test_a_path_stays_where_it_is_put(path):
    with pytest.raises(ValidationError):
        storage.checked_path(path)


def test_a_path_is_made_plain():
    assert storage.checked_path("outputs\\sub//./x.txt") == "outputs/sub/x.txt"
