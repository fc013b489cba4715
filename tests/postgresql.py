"""A throw-away PostgreSQL server. It refuses to run as root, so root lends it to `postgres`.

`python -m tests.postgresql COMMAND…` runs a command with a server of its own as the studio's database."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path


def find_binaries() -> Path | None:
    """The folder of the newest server installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class PostgreSQL:
    """Started on entry, stopped and removed on exit; `url` opens its database `studio`."""

    def __init__(self, binaries: Path):
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="studio-pg-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = self.url_of("studio")

    def url_of(self, database: str) -> str:
        return f"postgres://studio@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *args: str):
        lend = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*lend, str(self.binaries / program), *args],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self):
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", "studio", "-A", "trust", "--no-sync")
        self.start()
        self.create("studio")
        return self

    def create(self, database: str) -> str:
        """Make an empty database; returns its address."""
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "studio", database)
        return self.url_of(database)

    def start(self):
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 "
            "-c fsync=off -c max_connections=200"
        )
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def __exit__(self, *error):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(command: list[str]) -> int:
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL's server is not installed")
    with PostgreSQL(binaries) as server:
        environment = os.environ | {"STUDIO_DATABASE_URL": server.url}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
