"""The rules once more on PostgreSQL: the tests of core, endpoints, runs and the API that ask it; but
for the long fuzzing, as the routes' own tests send every kind of value too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_rules_hold_on_postgresql(postgresql_url):
    if os.environ.get("STUDIO_DATABASE_URL"):
        pytest.skip("this run is on PostgreSQL already")
    folders = [f"tests/{name}" for name in ("core", "endpoints", "runs", "api")]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", "-n", "2"),
            *("-m", "not door", *folders, "--ignore", "tests/api/test_schemathesis.py"),
        ],
        cwd=ROOT,
        env=os.environ | {"STUDIO_DATABASE_URL": postgresql_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
