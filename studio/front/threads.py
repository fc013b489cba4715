"""The threads that Django runs in: as many as needed, up to a limit."""

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread

logger = logging.getLogger(__name__)
IDLE_SECONDS = 30.0


class Threads:
    """Unlike the standard library's pool, idle threads end, and with them their database connection
    and its cache; and none of them delays the end of the process."""

    def __init__(self, most: int, *, at_end: Callable[[], None] = lambda: None):
        self.most, self.at_end = most, at_end
        self.work: SimpleQueue[tuple] = SimpleQueue()
        self.lock = Lock()
        self.alive = self.waiting = self.queued = 0

    def submit(self, function: Callable, *arguments) -> None:
        with self.lock:
            self.queued += 1
            another = self.queued > self.waiting and self.alive < self.most
            self.alive += another
        self.work.put((function, arguments))
        if another:
            Thread(target=self._run, name="request", daemon=True).start()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                function, arguments = item
                try:
                    function(*arguments)
                except BaseException:  # otherwise the thread would stay counted
                    logger.exception("the server failed")
                del item, function, arguments  # otherwise they live until the next request
        finally:
            self.at_end()

    def _next(self) -> tuple | None:
        with self.lock:
            self.waiting += 1
        while True:
            try:
                item = self.work.get(timeout=IDLE_SECONDS)
            except Empty:
                item = None
            with self.lock:
                if item is None and self.queued:
                    continue  # an item is about to arrive
                self.waiting -= 1
                self.queued -= item is not None
                self.alive -= item is None
            return item
