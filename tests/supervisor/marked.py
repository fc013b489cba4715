"""A studio whose every process can be found."""

from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from tests.studio import LiveStudio

MARK = "STUDIO_TEST_MARK"


class MarkedStudio(LiveStudio):
    """Its processes carry a mark in their environment, so that none can hide."""

    def __init__(self, folder: Path):
        self.mark = uuid4().hex
        super().__init__(folder, workers=1, samples=False, env={MARK: self.mark})

    def processes(self) -> dict[int, str]:
        needle, address = f"{MARK}={self.mark}".encode(), self.data / "redis" / "url"
        # Redis overwrites its environment with its title, which ends in the socket's path.
        server = unquote(urlsplit(address.read_text().strip()).path).encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                marked = needle in (folder / "environ").read_bytes().split(b"\0")
                if marked or server in (folder / "cmdline").read_bytes():
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue
        return found

    def pid_of(self, name: str) -> int | None:
        """The process of this name that `up` started itself."""
        return next(
            (p for p, c in self.processes().items() if c.endswith(name) and self.is_child(p)), None
        )

    def is_child(self, pid: int) -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        return f"PPid:\t{self.process.pid}\n" in status

    def printed(self) -> str:
        return self.output.read_text()
