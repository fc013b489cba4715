"""Scripts run as their authors run them: the real SDK, the printed environment, a config.json."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.conftest import missing
from tests.sdk import coverage
from tests.sdk.environment import NotBuilt, python_with_sdk


class Author:
    """Somebody at a workstation with the SDK, who has been given what `sdkenv` prints."""

    def __init__(self, python: Path, live, folder: Path):
        self.python, self.live, self.folder = python, live, folder
        printed = live.manage("sdkenv", "--write-config", str(folder))
        words = shlex.split(printed)
        self.printed = dict(word.split("=", 1) for word in words if "=" in word)
        self.environment = {
            **self.printed,
            "HOME": str(folder),  # the SDK keeps caches there
            "PATH": os.environ["PATH"],
        }
        # The client reads its bundle again for each connection: with the public roots in it, as printed,
        # that takes half the time of a flow.
        authority = str(live.ca_bundle.with_name("ca.pem"))
        self.trusted_alone = {"REQUESTS_CA_BUNDLE": authority, "SSL_CERT_FILE": authority}

    def run(self, script: Path, *words: str, seconds: float = 180, **environment: str) -> str:
        """What the script printed; a script that fails shows it. It runs in a folder of its own below
        the one with config.json."""
        place = Path(mkdtemp(dir=self.folder))
        done = subprocess.run(
            [str(self.python), str(script), *words],
            cwd=place,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{done.args[1:3]} failed:\n{done.stdout[-6000:]}"
        return done.stdout

    def follow(self, flow: Path, out: Path) -> None:
        """Run a flow: what README's table says it shows did run in it, or is asked for by a step's
        script. `out` is where it is written down."""
        table = coverage.table()
        trusted = {} if flow.stem == "sign_in" else self.trusted_alone
        self.run(coverage.HERE / "traced.py", str(flow), str(out), *table, **trusted)
        ran, in_steps = json.loads(out.read_text()), coverage.used_in_steps(flow.stem)
        said = {path: set(entry["works"].get(flow.stem, [])) for path, entry in table.items()}
        unseen = {path: said[path] - {*ran[path]} - in_steps for path in said}
        assert not {path: names for path, names in unseen.items() if names}


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    try:
        return python_with_sdk()
    except NotBuilt as error:
        missing(str(error))


@pytest.fixture(scope="module")
def author(sdk_python, live_studio, tmp_path_factory):
    return Author(sdk_python, live_studio, tmp_path_factory.mktemp("author"))
