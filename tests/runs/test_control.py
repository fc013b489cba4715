"""The clock of the control process: each chore at once, a slow or failing one holds up no other."""

from threading import Event

import pytest

from runs.models import Worker
from runs.worker import control


@pytest.mark.django_db(transaction=True)
def test_a_failing_recover_and_a_slow_cleanup_stop_no_heartbeat(monkeypatch):
    monkeypatch.setattr(control, "HEARTBEAT_SECONDS", 0.01)
    twice, tidied, looked, ended = Event(), Event(), Event(), Event()
    calls = []

    def recover():
        calls.append(1)
        if len(calls) > 1:
            twice.set()
        raise RuntimeError("not now")

    def clean_up():
        tidied.set()
        ended.wait(10)

    running = control.Clock(
        recover=recover, cleanups=[clean_up], schedules=looked.set, recover_seconds=0.01
    )
    running.start()
    try:
        assert tidied.wait(10) and twice.wait(10) and looked.wait(10)
        assert Worker.objects.get(name=running.name).role == "control"
    finally:
        ended.set()
        running.close()
    assert not Worker.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_cleanup_that_lasts_is_not_begun_again(monkeypatch):
    monkeypatch.setattr(control, "CLEANUP_SECONDS", 0.01)
    begun, ended, recovered = [], Event(), Event()

    def clean_up():
        begun.append(1)
        ended.wait(10)

    def recover():
        if begun:
            turns.append(1)
        if len(turns) > 10:
            recovered.set()

    turns: list[int] = []
    running = control.Clock(
        recover=recover, cleanups=[clean_up], schedules=lambda: None, recover_seconds=0.01
    )
    running.start()
    try:
        assert recovered.wait(10)
        assert len(begun) == 1
    finally:
        ended.set()
        running.close()


@pytest.mark.django_db(transaction=True)
def test_a_slow_look_at_schedules_delays_no_heartbeat(monkeypatch):
    monkeypatch.setattr(control, "HEARTBEAT_SECONDS", 0.01)
    looking, ended, recovered = Event(), Event(), Event()

    def look():
        looking.set()
        ended.wait(10)

    def recover():
        if looking.is_set():
            recovered.set()

    running = control.Clock(recover=recover, cleanups=[], schedules=look, recover_seconds=0.01)
    running.start()
    try:
        assert recovered.wait(10)
    finally:
        ended.set()
        running.close()
