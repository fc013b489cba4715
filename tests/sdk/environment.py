"""A Python of its own with the real Azure ML SDK in it, built once and kept."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
NEWEST = (3, 11)  # the SDK has no wheels for later ones


class NotBuilt(Exception):
    """Why there is no environment with the SDK."""


def python_with_sdk() -> Path:
    """The interpreter of the environment; the first call on a machine builds it."""
    version = ".".join(map(str, min(sys.version_info[:2], NEWEST)))
    digest = hashlib.sha256(f"{version} {REQUIREMENTS.read_text()}".encode()).hexdigest()[:16]
    home = cache() / f"azureml-sdk-{digest}"
    python, built = home / "bin" / "python", home / "built"
    if not built.exists():
        uv = shutil.which("uv")
        if uv is None:
            raise NotBuilt("uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", version, str(home))
        install = (uv, "pip", "install", "--quiet", "--python", str(python))
        _run(*install, "--requirement", str(REQUIREMENTS))
        built.touch()
    return python


def cache() -> Path:
    """Outside the project, so that a new checkout finds it again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pipeline-studio-tests"


def _run(*command: str):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotBuilt(f"The Azure ML SDK ({done.stderr.strip()[-500:]})")
