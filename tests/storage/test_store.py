"""A local folder and a store that only fsspec reaches do the same."""

import io
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from studio.core.errors import Conflict
from studio.storage.failures import StoreAway
from studio.storage.store import Store, open_store


@pytest.fixture
def local(tmp_path):
    return open_store(f"file://{tmp_path / 'store'}")


@pytest.fixture(params=["file", "memory"])
def store(request, local):
    return local if request.param == "file" else open_store(f"memory://{uuid4().hex}")


def fill(store: Store, *names: str) -> None:
    for name in names:
        store.write_bytes(name, name.encode())


def test_a_file_is_written_replaced_and_read_in_parts(store, tmp_path):
    source = tmp_path / "model.pkl"
    source.write_bytes(b"weights")
    assert store.copy_in(source, "a/model.pkl") == store.state("a/model.pkl").size == 7
    assert b"".join(store.stream("a/model.pkl", start=2, end=5)) == b"igh"
    assert store.write("a/model.pkl", io.BytesIO(b"new")) == 3
    assert store.open("a/model.pkl").read() == b"new"
    store.copy_out("a/model.pkl", tmp_path / "copy", mode=0o600)
    assert (tmp_path / "copy").read_bytes() == b"new"
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_told(store):
    fill(store, "a/b/c", "a/d", "e")
    assert [store.kind(name) for name in ("", "a", "a/d", "a/d/x", "x")] == [
        "directory", "directory", "file", None, None,
    ]  # fmt: skip
    assert sorted(store.names()) == ["a/b/c", "a/d", "e"]
    assert sorted(store.below("a").names()) == ["b/c", "d"]
    assert list(store.names("nowhere")) == []
    listed = sorted(store.listing("a"))
    assert [(name, is_folder) for name, is_folder, _ in listed] == [("b", True), ("d", False)]
    assert listed[1][2] == 3
    assert [(name, state.size) for name, state in store.files("a/d")] == [("a/d", 3)]
    assert {name for name, _ in store.files("a", recursive=False)} == {"a/d"}
    for name in ("a", "x", "a/d/x"):
        with pytest.raises(FileNotFoundError):
            store.state(name)


def test_a_moved_file_replaces_the_one_that_was_there(store):
    fill(store, "a/b", "c/d/e")
    store.move("a/b", "c/d/e")
    assert list(store.names()) == ["c/d/e"]
    assert store.open("c/d/e").read() == b"a/b"
    with pytest.raises(FileNotFoundError):
        store.move("a/b", "c/d/e")


def test_files_are_removed_by_name_and_by_folder(store):
    fill(store, "a/b", "a/*", "a/c/d", "a/c/e", "f")
    store.remove("a/*", "gone", "f/x")
    assert sorted(store.names()) == ["a/b", "a/c/d", "a/c/e", "f"]
    store.remove_folder("a", sparing={"a/c/d"})
    assert sorted(store.names()) == ["a/c/d", "f"]
    store.remove_folder("a")
    store.remove_folder("nowhere")
    assert (list(store.names()), store.kind("a")) == (["f"], None)


def test_nothing_is_written_where_writing_is_refused(store):
    class Refusing:
        def __enter__(self):
            raise Conflict("No.")

        def __exit__(self, *exception): ...

    stream = io.BytesIO(b"new")
    with pytest.raises(Conflict):
        store.write("a/b", stream, writing=Refusing())
    assert stream.read() == b""
    assert list(store.names()) == []


class Torn:
    """A stream that breaks off in the middle."""

    def __init__(self):
        self.chunks = [b"half"]

    def read(self, size=-1):
        if self.chunks:
            return self.chunks.pop()
        raise OSError("no more")


def test_every_storage_can_append(store):
    fill(store, "one ")
    assert store.append("one ", io.BytesIO(b"two"), at=4) == 7
    assert store.append("one ", io.BytesIO(b"!"), at=None) == 8
    with pytest.raises(OSError, match="no more"):
        store.append("one ", Torn(), at=8)
    assert store.open("one ").read() == b"one two!"


def test_a_local_file_grows_where_its_end_is_known(local):
    fill(local, "one ")
    before = local.local_path("one ").stat().st_ino
    local.append("one ", io.BytesIO(b"two"), at=4)
    assert local.local_path("one ").stat().st_ino == before
    with pytest.raises(Conflict):
        local.append("one ", io.BytesIO(b"two"), at=4)
    assert local.open("one ").read() == b"one two"


def test_a_file_that_is_being_written_is_seen_by_nobody_and_removed_when_it_is_old(local):
    fill(local, "a/b")
    with pytest.raises(OSError, match="no more"):
        local.write("a/torn", Torn())
    assert os.listdir(local.local_path("a")) == ["b"]  # noqa: PTH208
    partial = f"a/.{uuid4().hex}.partial"
    fill(local, partial)
    assert (list(local.names()), local.listing("a")) == (["a/b"], [("b", False, 3)])
    now = datetime.now(UTC)
    local.remove_partials("a", before=now - timedelta(hours=1))
    assert local.kind(partial) == "file"
    local.remove_partials("a", before=now + timedelta(hours=1))
    assert local.kind(partial) is None


def test_links_are_left_out(local, tmp_path):
    fill(local, "a/b")
    (tmp_path / "store/link").symlink_to(tmp_path)
    (tmp_path / "store/a/link").symlink_to("b")
    assert [name for name, _ in local.files()] == list(local.names()) == ["a/b"]
    assert local.listing("a") == [("b", False, 3)]


def test_a_folder_that_somebody_named_is_not_made(tmp_path):
    share = open_store(f"file://{tmp_path / 'share'}", given_as="Datastore share")
    (tmp_path / "x").write_text("x")
    for act in (
        lambda: share.kind("a"),
        lambda: share.write("a", io.BytesIO(b"x")),
        lambda: share.write_bytes("a/b", b"x"),
        lambda: share.create("a"),
        lambda: share.copy_in(tmp_path / "x", "a"),
        lambda: share.move("a", "b"),
    ):
        with pytest.raises(StoreAway, match="Datastore share cannot be reached: there is no"):
            act()
    assert not (tmp_path / "share").exists()
