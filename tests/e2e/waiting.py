"""Waiting for what a page comes to."""

import time


def wait_until(page, expression: str, *, seconds: float = 40):
    """`page.wait_for_function` asks again by `eval`, which the policy of our pages forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)
