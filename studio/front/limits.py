"""How long a caller may take, and how much it may send before it is identified."""

from collections import deque
from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """These are not settings; only tests change them."""

    slowest: int = KIB  # bytes a second over the last `window`, for sending and taking
    window: float = 50.0  # so that slower callers are gone within a minute
    idle: float = 50.0  # between two requests
    handshake: float = 30.0
    headers: float = 30.0
    header_bytes: int = 64 * KIB
    linger: float = 30.0  # for reading what a refused caller still sends
    silence: float = 3.0  # after which a refused caller is taken to be done
    linger_bytes: int = 64 * MIB
    held: float = 60.0  # longest wait of `Prefer: wait`
    ask_again: float = 1.0  # between two tries of a waiting read
    most_held: int = 1000
    stop: float = 3.0  # for requests in progress when the server stops
    unasked: int = 64 * KIB  # bytes of a body before its sender is known
    in_memory: int = 256 * KIB  # bytes of a body; the rest goes to a file

    @property
    def look(self) -> float:
        """Seconds between two checks of the connections."""
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
