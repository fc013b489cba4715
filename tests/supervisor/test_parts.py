"""The parts of the supervisor that need no running studio."""

import os
import subprocess
import sys

import pytest

from studio.supervisor import CannotStart, broker, datafolder
from studio.supervisor.logs import READ_BYTES, ROTATE_BYTES, LogFile
from tests.studio import ROOT, outside_environment


def test_the_lock_admits_one(tmp_path):
    datafolder.prepare(tmp_path)
    held = datafolder.lock(tmp_path)
    with pytest.raises(CannotStart, match=str(os.getpid())):
        datafolder.lock(tmp_path)
    os.close(held)
    os.close(datafolder.lock(tmp_path))


def test_the_secret_key_is_made_once(tmp_path):
    datafolder.prepare(tmp_path)
    datafolder.ensure_secret_key(tmp_path)
    key = (tmp_path / "keys" / "secret_key").read_text()
    datafolder.ensure_secret_key(tmp_path)
    assert len(key) > 50 and (tmp_path / "keys" / "secret_key").read_text() == key


@pytest.mark.parametrize(
    ("version", "made_by"),
    [(str(datafolder.LAYOUT + 1), "newer"), ("1.5", "newer"), ("later", "newer"), ("1", "older")],
)
def test_a_layout_it_does_not_know_is_refused(tmp_path, version, made_by):
    (tmp_path / "version").write_text(version)
    with pytest.raises(CannotStart, match=f"by an? {made_by} Pipeline Studio.* --data"):
        datafolder.prepare(tmp_path)


def fake_server(folder, *, version):
    program = folder / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    program.chmod(0o755)
    return str(program)


def test_a_server_from_the_path_is_taken_when_it_is_new_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program = fake_server(tmp_path, version="6.2.7")
    assert broker.find_server() == program
    fake_server(tmp_path, version="6.0.16")
    assert broker.find_server() != program


def test_a_long_path_moves_the_socket_to_a_private_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(broker.tempfile, "tempdir", "/tmp")  # noqa: S108 - what is short here
    data = tmp_path / ("x" * 90)
    (data / "redis").mkdir(parents=True)
    path = broker.choose_socket(data)
    assert len(os.fsencode(path)) <= broker.LONGEST_SOCKET_PATH
    assert path.parent.stat().st_mode & 0o077 == 0
    assert broker.choose_socket(data) == path
    path.parent.rmdir()


def test_trouble_is_each_new_error_line_once(tmp_path):
    log = LogFile(tmp_path, "web")
    log.write("level=info message=fine")
    log.write("level=error message=broken")
    assert log.trouble() == ["level=error message=broken"]
    assert log.trouble() == []
    with log.path.open("a") as file:
        file.write("level=error unfin")
    assert log.trouble() == []
    log.write("ished")
    assert log.trouble() == ["level=error unfinished"]


def test_a_line_without_end_does_not_stop_the_log(tmp_path):
    log = LogFile(tmp_path, "web")
    log.write("x" * (READ_BYTES + 10))
    log.write("ValueError: after it")
    assert log.trouble() == []
    assert log.trouble() == ["ValueError: after it"]


def test_a_large_log_is_rotated_while_it_is_written(tmp_path):
    log = LogFile(tmp_path, "web")
    writing = log.open()
    os.write(writing, b"x\n" * (ROTATE_BYTES // 2 + 1))
    log.position = log.size - 2
    log.trouble()
    os.write(writing, b"level=error message=next\n")
    os.close(writing)
    assert (tmp_path / "web.log.1").stat().st_size > ROTATE_BYTES
    assert log.trouble() == ["level=error message=next"]


def manage(data, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments, "--data", str(data)],
        cwd=ROOT,
        env=outside_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_setting_that_cannot_be_read_is_named_in_one_line(tmp_path):
    done = manage(tmp_path, "migrate", STUDIO_WORKERS="abc")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("manage.py: STUDIO_WORKERS cannot be read")


def test_a_database_that_refuses_is_told_in_one_line(tmp_path):
    done = manage(tmp_path, "migrate", STUDIO_DATABASE_URL=f"sqlite:///{tmp_path}/none/db.sqlite3")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("manage.py: the database refused: unable to open database file")


def test_an_older_python_is_told_in_one_line():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.version_info = (3, 9, 1);"
            "import runpy; runpy.run_path('manage.py', run_name='__main__')",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Pipeline Studio needs Python 3.11 or newer; this is 3.9")
