"""What `up` does: one process tree from nothing, kept alive, ended without leftovers."""


class CannotStart(Exception):
    """One line for the person at the terminal: what is in the way, and what to do about it."""
