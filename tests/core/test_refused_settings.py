"""Settings that make no sense are refused at start, by every process, with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def manage(command, data, **env):
    done = subprocess.run(
        [sys.executable, "manage.py", command, "--data", data],
        env={name: value for name, value in os.environ.items() if name != "STUDIO_SECRET_KEY"}
        | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["check", "web", "up", "worker", "control", "migrate"])
def test_a_short_secret_key(tmp_path, command):
    said = manage(command, tmp_path, STUDIO_SECRET_KEY="k" * 31)
    assert "STUDIO_SECRET_KEY has 31 bytes" in said
    assert "secrets.token_urlsafe(48)" in said


def test_a_short_key_in_the_data_folder(tmp_path):
    file = tmp_path / "keys" / "secret_key"
    file.parent.mkdir()
    file.write_text("short")
    assert f"{file} has 5 bytes" in manage("check", tmp_path)


def test_a_proxy_that_is_no_address(tmp_path):
    said = manage("check", tmp_path, STUDIO_TRUSTED_PROXIES="proxy.example")
    assert "STUDIO_TRUSTED_PROXIES takes addresses" in said
