"""Each script of `flows/` does what users' scripts do and checks what it gets, by public SDK API.

Two files, so that two workers of pytest share them.
"""

import pytest

from tests.sdk import coverage

FLOWS = [flow for flow in coverage.FLOWS if flow.stem < "n"]


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_flow(author, flow, tmp_path):
    author.follow(flow, tmp_path / "ran.json")
