"""How long a caller may keep a connection for what it does, and how much it may send unasked."""

from collections import deque
from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The figures are no settings: only tests shorten them."""

    slowest: int = KIB  # bytes a second, over the last `window`, of who sends or takes something
    window: float = 50.0  # so that whoever is slower is gone within a minute
    idle: float = 50.0  # between two requests
    handshake: float = 30.0
    headers: float = 30.0
    header_bytes: int = 64 * KIB
    linger: float = 30.0  # for what a refused caller still sends
    silence: float = 3.0  # after which such a caller is taken to send no more
    linger_bytes: int = 64 * MIB
    held: float = 60.0  # the longest that a read waits for news (`Prefer: wait`)
    ask_again: float = 1.0  # between two looks for it
    most_held: int = 1000
    stop: float = 3.0  # for what is under way when the server is told to end
    unasked: int = 64 * KIB  # of a body, before it is known who sends it
    in_memory: int = 256 * KIB  # of a body; the rest waits in a file

    @property
    def look(self) -> float:
        """Between two looks at the connections."""
        return min(self.window, self.idle, self.handshake, self.headers) / 10


class Pace:
    """Whether at least `slowest` bytes a second have passed in the last `window` seconds."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.marks: deque[tuple[float, int]] = deque()

    def begin(self, now: float, passed: int) -> None:
        self.marks.clear()
        self.marks.append((now, passed))

    def is_kept(self, now: float, passed: int) -> bool:
        limits, marks = self.limits, self.marks
        marks.append((now, passed))
        while len(marks) > 1 and now - marks[1][0] >= limits.window:
            marks.popleft()
        since, before = marks[0]
        return now - since < limits.window or passed - before >= limits.slowest * (now - since)
