"""The addresses of the studio: checked before anything starts, stored for other commands, and
printed."""

import errno
import http.client
import json
import os
import shlex
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from studio.supervisor import CannotStart
from studio.supervisor.datafolder import write_private

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the name for all addresses


@dataclass(frozen=True)
class Addresses:
    host: str
    port: int
    tls_port: int

    @property
    def reachable_host(self) -> str:
        return ANYWHERE.get(self.host, self.host)

    @property
    def http(self) -> str:
        return f"http://{_in_url(self.reachable_host)}:{self.port}"

    @property
    def https(self) -> str:
        return f"https://{_in_url(self.reachable_host)}:{self.tls_port}"

    def check(self) -> None:
        """Raise CannotStart for ports that cannot be used."""
        if self.port == self.tls_port:
            raise CannotStart(f"--port and --tls-port are both {self.port}: give two")
        for port, option in ((self.port, "--port"), (self.tls_port, "--tls-port")):
            _check_free(self.host, port, option=option)

    def store(self, data: Path) -> None:
        """Write the addresses to the data folder, where settings.py finds them for other
        commands."""
        write_private(data / "addresses.json", json.dumps(asdict(self)))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _check_free(host: str, port: int, *, option: str) -> None:
    if not 0 < port < 65536:
        raise CannotStart(f"{option} must be from 1 to 65535, not {port}")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotStart(
            f"--host {host} is no address of this machine: {error.strerror}"
        ) from error
    with socket.socket(family, kind) as probe:
        # Like servers: a port in TIME_WAIT from an earlier connection is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except PermissionError as error:
            raise CannotStart(f"port {port} needs root: choose another with {option}") from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise CannotStart(f"--host {host} is no address of this machine") from error
            raise CannotStart(
                f"port {port} on {host} is in use: stop what listens there,"
                f" or choose another with {option}"
            ) from error


def health(addresses: Addresses) -> tuple[int, str]:
    """Status and body of `/healthz`; status 0 if nobody answers."""
    connection = http.client.HTTPConnection(addresses.reachable_host, addresses.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, f"the web server does not answer ({error})"
    finally:
        connection.close()


def command_line(*arguments: str, data: Path) -> str:
    """How the reader of our output runs another command on the same data."""
    # uv sets UV for the processes it runs; whoever started us by uv may have no other Python at
    # hand.
    start = ["uv", "run", "manage.py"] if "UV" in os.environ else ["python", "manage.py"]
    where = [] if data == settings.BASE_DIR / ".studio" else ["--data", str(data)]
    return shlex.join([*start, *arguments, *where])


def next_steps(addresses: Addresses, *, data: Path, sample: str) -> list[str]:
    token = command_line("token", "my-first", data=data)
    sdkenv = command_line("sdkenv", data=data)
    lines = [
        "",
        "Pipeline Studio is ready:",
        f"  {addresses.http}/",
        f"  {addresses.https}/   (trust {data / 'tls' / 'ca.pem'})",
        "",
        f'For the Azure ML SDK:  eval "$({sdkenv})"',
        f"A token for callers:   TOKEN=$({token})",
    ]
    if sample:
        lines += [
            f"A first run:           curl -X POST {addresses.http}/endpoints/{sample}/submit"
            ' -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
            ' -d \'{"ExperimentName": "first"}\'',
        ]
    return [*lines, "", "Ctrl-C stops everything."]
