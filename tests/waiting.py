"""Waiting for what other threads and processes do."""

import time


def wait_for(condition, *, what: str, seconds: float = 60):
    """What the condition returns once it is true; fails when that takes longer."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return found
