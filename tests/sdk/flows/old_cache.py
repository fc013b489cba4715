"""What the SDK once wrote down of another cloud does not lead it away from the studio."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = "from azureml.core import Workspace; print(Workspace.from_config().name)"
HERE = os.environ["ARM_CLOUD_METADATA_URL"].removesuffix("/metadata/endpoints")
GONE = "https://127.0.0.1:1"


def script(**environment):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# Without a folder of the studio's own: a studio that is gone, or has moved, is still believed
old = Path.home() / ".azure"
old.mkdir()
cache = old / "cloudEndpoints.json"
assert script(AZURE_CONFIG_DIR="").returncode == 0
cache.write_text(cache.read_text("utf-8-sig").replace(HERE, GONE))
shadowed = script(AZURE_CONFIG_DIR="")
assert shadowed.returncode != 0 and "port=1)" in shadowed.stderr, shadowed.stderr

# With it: not
asked = script()
assert asked.returncode == 0, asked.stderr
own = Path(os.environ["AZURE_CONFIG_DIR"])
assert not own.exists()

# Where the folder is made, by `az` say, the address that is in it is this studio's
own.mkdir(parents=True)
for _ in range(2):
    asked = script()
    assert asked.returncode == 0, asked.stderr
assert HERE in (own / "cloudEndpoints.json").read_text()
