import io
import time
from uuid import uuid4

import pytest

from endpoints import snapshots
from endpoints.models import Snapshot
from endpoints.snapshots import SnapshotError, Stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=["file", "memory"])
def storage(request, tmp_path, settings):
    """A local folder, and a store that only fsspec can reach."""
    settings.STUDIO_STORAGE_URL = (
        f"file://{tmp_path / 'storage'}" if request.param == "file" else f"memory://{uuid4()}"
    )
    return request.param


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "pkg").mkdir(parents=True)
    (folder / "train.py").write_text("print('train')")
    (folder / "pkg" / "a.py").write_text("A = 1")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    return folder


def store_folder(workspace, folder) -> Snapshot:
    return snapshots.create(workspace, snapshots.store_files(folder))


def names(workspace, folder):
    return sorted(store_folder(workspace, folder).files)


def test_a_working_copy_holds_the_same_files(workspace, source, tmp_path):
    copy = snapshots.working_copy(store_folder(workspace, source), tmp_path / "copy")
    assert (copy / "train.py").read_text() == "print('train')"
    assert (copy / "pkg/a.py").read_text() == "A = 1"
    assert (copy / "run.sh").stat().st_mode & 0o111
    assert not (copy / "train.py").stat().st_mode & 0o111


def test_rewriting_a_working_copy_leaves_the_store_alone(workspace, source, tmp_path):
    snapshot = store_folder(workspace, source)
    first = snapshots.working_copy(snapshot, tmp_path / "first")
    with (first / "train.py").open("r+") as file:
        file.write("XXXXX")
    second = snapshots.working_copy(snapshot, tmp_path / "second")
    assert (second / "train.py").read_text() == "print('train')"


def test_large_files_are_copied_whole(workspace, source, tmp_path):
    (source / "big").write_bytes(bytes(range(256)) * 10_000)
    copy = snapshots.working_copy(store_folder(workspace, source), tmp_path / "copy")
    assert (copy / "big").read_bytes() == (source / "big").read_bytes()


def test_an_unchanged_folder_gives_the_same_snapshot(workspace, source):
    first = store_folder(workspace, source)
    assert store_folder(workspace, source) == first
    (source / "train.py").write_text("print('other')")
    assert store_folder(workspace, source) != first
    assert Snapshot.objects.count() == 2


@pytest.mark.parametrize("name", [".amlignore", ".gitignore"])
def test_ignored_files_stay_out(workspace, source, name):
    for path in (
        "a.log",
        "keep.log",
        "pkg/b.log",
        "data/x.csv",
        "data/deep/y.csv",
        "build/z",
        ".git/c",
    ):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("x")
    (source / name).write_text("# comment\n*.log\n!keep.log\n/build\ndata/**/*.csv\n\n[ab\n")
    assert names(workspace, source) == sorted([name, "keep.log", "pkg/a.py", "run.sh", "train.py"])


def test_all_but_the_scripts_can_be_ignored(workspace, source):
    """The usual idiom: it takes folders back, but not those that never belong to a snapshot."""
    (source / ".venv").mkdir()
    (source / ".venv/b.py").write_text("")
    (source / ".amlignore").write_text("*\n!*/\n!*.py\n")
    assert names(workspace, source) == ["pkg/a.py", "train.py"]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("pkg/**", ["train.py"]),
        ("p**y", ["pkg/a.py", "train.py"]),
        ("***/a.py", ["train.py"]),
        ("t[pqr]ain.py", ["pkg/a.py"]),
        ("[!t]*.py", ["train.py"]),
        ("pkg[/]a.py", ["pkg/a.py", "train.py"]),
        ("t[z-a]ain.py", ["pkg/a.py", "train.py"]),
    ],
)
def test_what_a_line_ignores(workspace, source, line, left):
    (source / "run.sh").unlink()
    (source / ".amlignore").write_text(f".amlignore\n{line}\n")
    assert names(workspace, source) == left


def test_no_line_takes_for_ever(workspace, source):
    (source / ("a" * 255)).write_text("")
    (source / ".amlignore").write_text("*a" * 120 + "b\n")
    assert "a" * 255 in names(workspace, source)


def test_amlignore_wins_over_gitignore(workspace, source):
    (source / ".amlignore").write_text("train.py\n")
    (source / ".gitignore").write_text("run.sh\n")
    assert "train.py" not in names(workspace, source)
    assert "run.sh" in names(workspace, source)


def test_links_out_of_the_folder_are_refused(workspace, source, tmp_path):
    (tmp_path / "secret").write_text("x")
    (source / "inside").symlink_to("train.py")
    assert "inside" in names(workspace, source)
    (source / "outside").symlink_to(tmp_path / "secret")
    with pytest.raises(SnapshotError, match="outside is a link"):
        store_folder(workspace, source)


def test_limits_are_settings(workspace, source, settings):
    settings.STUDIO_SNAPSHOT_MAX_FILES = 2
    with pytest.raises(SnapshotError, match="more than 2 files"):
        store_folder(workspace, source)
    settings.STUDIO_SNAPSHOT_MAX_FILES, settings.STUDIO_SNAPSHOT_MAX_BYTES = 9, 10
    with pytest.raises(SnapshotError, match="more than"):
        store_folder(workspace, source)
    with pytest.raises(SnapshotError, match="larger than 3 bytes"):
        snapshots.add_file(io.BytesIO(b"1234"), limit=3)


def tree(**children):
    return {"name": "", "type": "Directory", "children": children}


LEAF = {"type": "File", "hash": "x", "children": {}}


def test_a_client_sends_only_what_changed(workspace, source):
    parent = store_folder(workspace, source)
    posted = tree(
        **{
            "train.py": LEAF,
            "run.sh": LEAF,
            "pkg": {"type": "Directory", "children": {"new.py": LEAF}},
        }
    )
    uploaded = {
        "train.py": snapshots.add_file(io.BytesIO(b"changed")),
        "pkg/new.py": snapshots.add_file(io.BytesIO(b"new")),
    }
    uuid = uuid4()
    made = snapshots.assemble(workspace, uuid=uuid, tree=posted, uploaded=uploaded, parent=parent)
    assert made.uuid == uuid and made.wire_tree == posted
    assert sorted(made.files) == ["pkg/new.py", "run.sh", "train.py"]
    assert made.files["run.sh"] == parent.files["run.sh"]
    with snapshots.read(made.files["train.py"]["sha256"]) as content:
        assert content.read() == b"changed"


def test_what_file_managers_leave_behind_is_no_part_of_a_snapshot(workspace, source):
    (source / ".DS_Store").write_text("x")
    (source / "pkg/Thumbs.db").write_text("x")
    plain = names(workspace, source)
    assert plain == ["pkg/a.py", "run.sh", "train.py"]
    # A client lists them, and with the next snapshot again, without sending them.
    posted = tree(**{".DS_Store": LEAF, "train.py": LEAF})
    parent = None
    for uploaded in (
        {"train.py": snapshots.add_file(io.BytesIO(b"x")), ".DS_Store": Stored("0" * 64, 1)},
        {},
    ):
        parent = snapshots.assemble(
            workspace, uuid=uuid4(), tree=posted, uploaded=uploaded, parent=parent
        )
        assert list(parent.files) == ["train.py"]


def test_names_that_are_not_utf8_are_refused_by_name(workspace, source):
    (source / "caf\udce9.py").write_text("x")
    with pytest.raises(SnapshotError, match="is not UTF-8"):
        store_folder(workspace, source)


def test_a_file_that_nobody_sent_is_refused(workspace):
    with pytest.raises(SnapshotError, match=r"lost\.py was neither"):
        snapshots.assemble(workspace, uuid=uuid4(), tree=tree(**{"lost.py": LEAF}), uploaded={})


@pytest.mark.parametrize("name", ["..", "../x", "/x", "a//b", "a/../b", "a\\b", "a\0b", ""])
def test_a_clients_path_cannot_leave_the_folder(workspace, name):
    with pytest.raises(SnapshotError, match="not a path inside"):
        snapshots.assemble(
            workspace, uuid=uuid4(), tree=tree(**{name: LEAF}), uploaded={name: Stored("0" * 64, 1)}
        )
    assert not Snapshot.objects.exists()


def test_a_copy_takes_no_noticeable_time(workspace, source, tmp_path, storage):
    if storage != "file":
        pytest.skip("only local storage promises this")
    snapshot = store_folder(workspace, source)
    best = 1.0
    for number in range(5):
        begin = time.perf_counter()
        snapshots.working_copy(snapshot, tmp_path / str(number))
        best = min(best, time.perf_counter() - begin)
    assert best < 0.005  # 0.4 ms on an idle machine
