"""Waiting for what a page comes to."""

import time

from playwright.sync_api import Error


def wait_until(page, expression: str, *, seconds: float = 40):
    """`page.wait_for_function` asks again by `eval`, which the policy of our pages forbids."""
    deadline = time.monotonic() + seconds
    while not holds(page, expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def holds(page, expression: str) -> bool:
    """Between two pages there is no element yet that an expression could ask."""
    try:
        return page.evaluate(expression)
    except Error:
        return False
