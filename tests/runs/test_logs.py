"""Logs in segments."""

from uuid import uuid4

import pytest

from runs import logs
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
