"""What `manage.py up` does: starts all processes from nothing, restarts them, ends them without
leftovers."""


class CannotStart(Exception):
    """A line for the person at the terminal: what is in the way, and what to do about it."""
