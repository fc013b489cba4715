"""The one rule for relative paths; that each door asks it is tested at the doors."""

import pytest

from studio.storage.paths import PathError, relative_path, sent_path

NO_PATHS = {
    "nothing": "",
    "no text": None,
    "the folder itself": "./.",
    "absolute": "/etc/passwd",
    "absolute behind two slashes": "//etc/passwd",
    "the folder above": "..",
    "out of the folder": "../x",
    "out of the folder in the middle": "a/../../x",
    "through a folder above": "a/../b",
    "NUL": "a\0b",
    "no UTF-8": "caf\udce9.txt",
    "half of a pair": "\ud800",
    "too long": "x/" * 500 + "x",
    "too long a name": "x" * 256,
    "too long a name in bytes": "é" * 128,
}


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS.keys())
def test_no_relative_path(path):
    for backslash in (False, True):
        with pytest.raises(PathError, match="is no relative path of a file"):
            relative_path(path, backslash=backslash)
    if path is not None:
        with pytest.raises(PathError, match="is no relative path of a file"):
            sent_path(path)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("a", "a"),
        ("./a//b/./c.txt/", "a/b/c.txt"),
        ("..a/b..", "..a/b.."),
        (" a ", " a "),
        ("é" * 127, "é" * 127),
        ("bell\x07\nline", "bell\x07\nline"),
        ("x/" * 499 + "xx", "x/" * 499 + "xx"),
    ],
)
def test_a_path_is_made_plain(path, plain):
    assert relative_path(path) == relative_path(path, backslash=True) == plain


def test_a_backslash_is_part_of_a_name_that_a_step_chose():
    assert relative_path("outputs/x\\y.txt", backslash=True) == "outputs/x\\y.txt"
    with pytest.raises(PathError):
        relative_path("outputs/x\\y.txt")


def test_a_backslash_that_a_client_sends_is_a_slash():
    assert sent_path("outputs\\sub//./x.txt") == "outputs/sub/x.txt"
    for path in ("..\\x", "a\\..\\..\\x", "\\etc\\passwd"):
        with pytest.raises(PathError):
            sent_path(path)


@pytest.mark.parametrize("character", ["\n", "\x07", "\x1f", "\x7f"])
def test_no_client_chooses_control_characters(character):
    with pytest.raises(PathError):
        sent_path(f"a{character}b")
