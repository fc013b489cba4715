"""How the studio is connected to its database."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONNECT = """
from django.db import OperationalError, connection
print(connection.settings_dict["OPTIONS"]["tcp_user_timeout"])
try:
    connection.ensure_connection()
except OperationalError as error:
    print(error)
"""


def test_a_server_that_never_answers_is_given_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgres://studio:studio@127.0.0.1:{port}/studio?connect_timeout=2"
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", CONNECT, "--data", tmp_path],
            env=os.environ | {"STUDIO_DATABASE_URL": url},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.split("\n")[0] == "20000"
    assert "timeout expired" in done.stdout


def test_a_database_of_an_older_studio_is_refused(tmp_path):
    def prepare():
        return subprocess.run(
            [sys.executable, "manage.py", "prepare", "--no-samples", "--data", tmp_path],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    for _ in range(2):
        assert prepare().returncode == 0
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        database.execute("ALTER TABLE runs_schedule RENAME TO endpoints_schedule")
    refused = prepare()
    assert refused.returncode == 1
    assert "older Pipeline Studio" in refused.stderr
    assert "no table runs_schedule): use an empty one" in refused.stderr
