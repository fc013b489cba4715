import io
import stat
import zipfile

import pytest

from endpoints.authoring.archives import ArchiveError, extract


def pack(*entries, compression=zipfile.ZIP_STORED):
    """A zip of (name or ZipInfo, content) pairs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    packed.seek(0)
    return packed


def special(name, kind):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (kind | 0o777) << 16
    return entry


def test_it_unpacks_files_and_folders(tmp_path):
    script = zipfile.ZipInfo("run.sh")
    script.external_attr = (stat.S_IFREG | 0o755) << 16
    extract(pack(("a/b.txt", "b"), ("a/", ""), ("./c.txt", "c"), (script, "x")), tmp_path / "out")
    assert (tmp_path / "out/a/b.txt").read_text() == "b"
    assert (tmp_path / "out/c.txt").read_text() == "c"
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o100


def test_backslashes_are_the_slashes_of_windows_powershell(tmp_path):
    """Compress-Archive of version 5 writes them, also behind the names of folders."""
    extract(pack(("src\\", ""), ("src\\deep\\a.py", "x"), ("b.txt", "b")), tmp_path / "out")
    assert (tmp_path / "out/src/deep/a.py").read_text() == "x"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.txt", "src"]


def test_what_file_managers_leave_behind_is_left_out(tmp_path):
    names = ("src/a.py", "__MACOSX/src/._a.py", "src/.DS_Store", ".DS_Store", "src/Thumbs.db")
    extract(pack(*((name, "x") for name in names)), tmp_path / "out")
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "out").as_posix() for path in found] == ["src/a.py"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["src"]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("../out.txt", "x")], "leaves its folder"),
        ([("a/../../out.txt", "x")], "leaves its folder"),
        ([("/etc/out.txt", "x")], "absolute"),
        ([("C:/out.txt", "x")], "absolute"),
        ([("..\\out.txt", "x")], "leaves its folder"),
        ([("a\\..\\..\\out.txt", "x")], "leaves its folder"),
        ([("\\\\host\\out.txt", "x")], "absolute"),
        ([("C:\\out.txt", "x")], "absolute"),
        ([("a\\b.txt", "x"), ("a/b.txt", "y")], "two entries"),
        ([(special("link", stat.S_IFLNK), "/etc/passwd")], "symbolic link"),
        ([(special("pipe", stat.S_IFIFO), "")], "special file"),
        ([("a.txt", "x"), ("./a.txt", "y")], "two entries"),
        ([("a", "x"), ("a/b", "y")], "both as a file and as a folder"),
        ([("é" * 128, "x")], "more than 255 bytes"),
        ([("/".join(["d" * 200] * 21), "x")], "a path of more"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_unsafe_entries_are_refused_before_anything_is_written(tmp_path, entries, words):
    with pytest.raises(ArchiveError, match=words):
        extract(pack(("first.txt", "x"), *entries), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.txt").exists()


def test_an_absurd_expansion_is_refused(tmp_path, settings):
    bomb = pack(("zeros", b"\0" * 5_000_000), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveError, match="expands more than 100 times"):
        extract(bomb, tmp_path / "out")
    settings.STUDIO_ARCHIVE_MAX_RATIO = 10_000
    extract(bomb, tmp_path / "out")


def test_limits_are_settings(tmp_path, settings):
    settings.STUDIO_SNAPSHOT_MAX_FILES = 2
    with pytest.raises(ArchiveError, match="more than 2 files"):
        extract(pack(*((f"{n}.txt", "x") for n in range(3))), tmp_path / "out")
    settings.STUDIO_SNAPSHOT_MAX_BYTES = 1 << 20
    with pytest.raises(ArchiveError, match="more than 1 MiB"):
        extract(pack(("big", b"x" * (2 << 20))), tmp_path / "out")


def test_a_lie_about_the_size_is_found_out(tmp_path):
    packed = pack(("a.txt", b"x" * 1000), compression=zipfile.ZIP_DEFLATED).getvalue()
    lying = packed.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != packed
    with pytest.raises(ArchiveError):
        extract(io.BytesIO(lying), tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_what_is_no_zip_is_refused(tmp_path, content):
    with pytest.raises(ArchiveError, match="not a zip"):
        extract(io.BytesIO(content), tmp_path / "out")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_data_is_refused_by_name(tmp_path, compression):
    packed = bytearray(pack(("a.txt", bytes(range(256)) * 20), compression=compression).getvalue())
    start = 30 + len("a.txt")  # behind the entry's header
    packed[start : start + 20] = b"\xff" * 20
    with pytest.raises(ArchiveError, match=r"a\.txt|damaged"):
        extract(io.BytesIO(bytes(packed)), tmp_path / "out")


def test_a_name_that_is_not_the_text_it_says_is_refused(tmp_path):
    packed = pack(("é.txt", "x")).getvalue().replace("é".encode(), b"\xff\xff")
    with pytest.raises(ArchiveError, match="damaged"):
        extract(io.BytesIO(packed), tmp_path / "out")
