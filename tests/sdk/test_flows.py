"""Each script of `flows/` does what users' scripts do and checks what it gets, by public SDK API."""

import json
from pathlib import Path

import pytest

from tests.sdk import coverage

HERE = Path(__file__).parent
FLOWS = sorted((HERE / "flows").glob("*.py"))
TABLE = coverage.table()


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_flow(author, flow, tmp_path):
    """What README's table says a flow shows did run in it, or is asked for by a step's script."""
    out = tmp_path / "ran.json"
    author.run(HERE / "traced.py", str(flow), str(out), *TABLE)
    ran, in_steps = json.loads(out.read_text()), coverage.used_in_steps(flow.stem)
    said = {path: set(entry["works"].get(flow.stem, [])) for path, entry in TABLE.items()}
    assert not {path: missing for path in said if (missing := said[path] - {*ran[path]} - in_steps)}
