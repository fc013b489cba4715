import io
import os
import time
from datetime import timedelta

import pytest

from studio.core.errors import NotFound
from studio.storage import uploads


@pytest.fixture
def stored(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}"
    settings.STUDIO_UPLOAD_HOURS = 24
    return tmp_path / uploads.CONTAINER


def age(path, **delta):
    then = time.time() - timedelta(**delta).total_seconds()
    os.utime(path, (then, then))


def test_what_nobody_claimed_is_removed_after_its_hours(stored):
    for name in ("w1/old", "w1/new", "staged/blob/block"):
        uploads.write(name, io.BytesIO(b"x"))
    age(stored / "w1/old", hours=25)
    age(stored / "w1/new", hours=23)
    age(stored / "staged/blob/block", hours=25)
    age(stored / "staged/blob", hours=25)
    uploads.remove_unclaimed()
    with pytest.raises(NotFound):
        uploads.state("w1/old")
    assert uploads.state("w1/new").size == 1
    assert not (stored / "staged/blob/block").exists()
    assert stored.exists()


def test_folders_that_were_emptied_go_when_they_are_old_themselves(stored):
    (stored / "old").mkdir(parents=True)
    (stored / "young").mkdir()
    age(stored / "old", hours=25)
    uploads.remove_unclaimed()
    assert sorted(path.name for path in stored.iterdir()) == ["young"]


def test_nothing_to_remove_is_left_as_it_is(stored):
    uploads.remove_unclaimed()
    assert not stored.exists()
    uploads.write("w1/new", io.BytesIO(b"x"))
    uploads.remove_unclaimed()
    assert [path.name for path in (stored / "w1").iterdir()] == ["new"]


def test_on_a_remote_store_too(settings):
    settings.STUDIO_STORAGE_URL = "memory://uploads-test"
    settings.STUDIO_UPLOAD_HOURS = 0
    uploads.write("w/old", io.BytesIO(b"abc"))
    assert uploads.state("w/old").size == 3
    time.sleep(0.001)
    uploads.remove_unclaimed()
    with pytest.raises(NotFound):
        uploads.state("w/old")


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "a\0b", "caf\udce9", ""])
def test_a_name_that_is_no_relative_path_is_no_upload(stored, name):
    for act in (lambda: uploads.write(name, io.BytesIO(b"x")), lambda: uploads.read(name)):
        with pytest.raises(NotFound, match="no upload"):
            act()
    assert not stored.exists()
