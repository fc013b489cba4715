"""The other half of the flows."""

import pytest

from tests.sdk import coverage

FLOWS = [flow for flow in coverage.FLOWS if flow.stem >= "n"]


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_flow(author, flow, tmp_path):
    author.follow(flow, tmp_path / "ran.json")
