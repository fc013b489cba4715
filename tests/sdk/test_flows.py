"""Each script of `flows/` does what users' scripts do and checks what it gets, by public SDK API."""

from pathlib import Path

import pytest

FLOWS = sorted((Path(__file__).parent / "flows").glob("*.py"))


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_flow(author, flow):
    author.run(flow)
