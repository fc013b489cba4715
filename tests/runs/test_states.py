"""The table of states: which may follow which, and the words that go out."""

import pytest

from runs.states import BEFORE, IN_PROGRESS, LIVE, TERMINAL, Status, history_status, wire_status


def test_nothing_follows_a_terminal_state():
    for before in BEFORE.values():
        assert not before & TERMINAL


def test_every_state_but_the_first_can_be_reached():
    assert set(BEFORE) == set(Status)
    assert {to for to, before in BEFORE.items() if not before} == {Status.NOT_STARTED}


def test_a_run_asked_to_cancel_can_only_become_canceled():
    after = {to for to, before in BEFORE.items() if Status.CANCEL_REQUESTED in before}
    assert after == {Status.CANCELED}


def test_every_live_state_can_be_canceled():
    assert BEFORE[Status.CANCELED] == LIVE


def test_a_held_step_can_go_back_to_its_queue():
    assert BEFORE[Status.QUEUED] >= IN_PROGRESS


def test_a_step_goes_back_from_not_responding_to_whatever_it_was():
    for before in BEFORE[Status.NOT_RESPONDING]:
        assert Status.NOT_RESPONDING in BEFORE[before]


@pytest.mark.parametrize(
    ("status", "of_run", "of_node"),
    [
        (Status.QUEUED, "NotStarted", "Queued"),
        (Status.PREPARING, "Running", "Running"),
        (Status.CANCEL_REQUESTED, "Running", "Running"),
        (Status.NOT_RESPONDING, "Running", "Running"),
        (Status.COMPLETED, "Finished", "Finished"),
        (Status.SKIPPED, "Canceled", "Bypassed"),
    ],
)
def test_the_pipelines_service_has_its_own_words(status, of_run, of_node):
    assert (wire_status(status), wire_status(status, of_node=True)) == (of_run, of_node)


def test_history_knows_no_skipped():
    assert history_status(Status.SKIPPED) == "Canceled"
    assert history_status(Status.COMPLETED) == "Completed"
