"""README's table of the SDK says neither more nor less than the SDK has and the flows do."""

from collections import Counter

import pytest

from tests.sdk import coverage

TABLE = coverage.table()
FLOWS = sorted({flow for entry in TABLE.values() for flow in entry["works"]})


@pytest.fixture(scope="module")
def members(sdk_python):
    return coverage.members(sdk_python, list(TABLE))


@pytest.mark.parametrize("path", TABLE)
def test_each_public_member_is_told_once_and_exists(members, path):
    entry = TABLE[path]
    told = Counter(name for kind in entry.values() for names in kind.values() for name in names)
    assert not [name for name, times in told.items() if times > 1]
    assert set(told) == set(members[path])


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_asks_for_all_it_is_said_to_show(flow):
    said = {name for entry in TABLE.values() for name in entry["works"].get(flow, [])}
    assert not said - coverage.used(flow)


def test_where_a_constructor_is_all_that_works_a_flow_calls_it():
    bare = {path.rpartition(".")[2] for path, entry in TABLE.items() if not entry["works"]}
    assert not bare - coverage.made()


def test_readme_has_the_table():
    """`python -m tests.sdk.coverage` writes it."""
    assert coverage.README.read_text() == coverage.readme_with(coverage.rows())
