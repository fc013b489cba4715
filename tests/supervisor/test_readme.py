"""What README tells people to type works as it stands there."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from secrets import token_urlsafe

import pytest
from django.core.management import get_commands, load_command_class

from tests.studio import outside_environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, re.M | re.S)
COMMANDS = sorted(set(re.findall(r"uv run (?:--extra \w+ )*manage\.py ([^\n`)\"]+)", README)))
OURS = "http://127.0.0.1:8000"
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
# `uv run` would make the environment that runs these tests anew, without what they need.
UV = f'uv() {{ [ "$1" = run ] && shift; {shlex.quote(sys.executable)} "$@"; }}\n'


def test_the_curl_commands_trigger_a_run(live_studio, tmp_path, require):
    require("curl")
    blocks = [block for block in BLOCKS if "curl" in block]
    assert blocks
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", UV + block.replace(OURS, live_studio.http)],
            cwd=ROOT,
            env=outside_environment() | {"STUDIO_DATA": str(live_studio.data)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert live_studio.wait(json.loads(done.stdout)["Id"])["Status"]["StatusCode"] == "Finished"


def test_a_deployment_as_described_passes_djangos_own_check(tmp_path):
    [exports] = [block for block in BLOCKS if "export STUDIO_DATABASE_URL" in block]
    exports = exports.replace("STUDIO_SECRET_KEY=...", f"STUDIO_SECRET_KEY={token_urlsafe(50)}")
    check = f"{shlex.quote(sys.executable)} manage.py check --deploy --fail-level INFO"
    done = subprocess.run(
        ["bash", "-euc", exports + check],
        cwd=ROOT,
        env=outside_environment() | {"STUDIO_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_exists_with_its_options(line):
    words, _, comment = line.partition("#")
    name, *arguments = shlex.split(words)
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    parser.parse_args([ID if word in ("UUID", "GUID") else word for word in arguments])
    for option in re.findall(r"--[a-z-]+", comment):
        assert option in parser.format_help()


def test_each_extra_exists():
    extras = set(re.findall(r"--extra (\w+)", README))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras and extras <= set(project["optional-dependencies"])
