"""A thousand callers who hold a connection and do nothing with it, and how long others then wait."""

import socket
import ssl
import statistics
import time

from tests.studio import LiveStudio

MANY, HELD_SECONDS = 1000, 60
TOKEN = b"POST /adfs/oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
HALF = [
    TOKEN,
    TOKEN[:40],
    b"POST /endpoints/one/submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{",
    b"GET /static/studio/screenshot.png HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20,  # none is read
]
HELLO = b"\x16\x03\x01\x02\x00"  # the first bytes of a TLS handshake


def rows(live: LiveStudio, pss):
    """`(what, ours, floor, limit)`; the floor is the same call with nobody else there."""
    floor = {what: milliseconds(call, 40) for what, call in calls(live).items()}
    before = pss()
    held = [hold(live, n) for n in range(MANY)]
    end, times = time.monotonic() + HELD_SECONDS, {what: [] for what in floor}
    next_byte = grown = 0
    while time.monotonic() < end:
        for what, call in calls(live).items():
            times[what].append(milliseconds(call, 1))
        if time.monotonic() > next_byte:
            next_byte = time.monotonic() + 5
            dribble(held)
            grown = max(grown, pss() - before)
        time.sleep(0.2)
    for what, bare in floor.items():
        yield f"{what} beside {MANY} slow connections, ms", statistics.median(times[what]), bare, 2
        yield f"{what}, slowest of {len(times[what])}, ms", max(times[what]), None, None
    yield f"of {MANY} slow connections open after {HELD_SECONDS} s", count_open(held), None, None
    yield "memory that they took, MiB", grown, None, None
    for stream in held:
        stream.close()


def calls(live: LiveStudio):
    return {
        "GET /healthz": lambda: live.get("/healthz"),
        "GET /healthz over https": lambda: live.get("/healthz", base=live.https),
        "POST of a trigger": lambda: live.trigger("one"),
    }


def milliseconds(call, times: int) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def hold(live: LiveStudio, n: int):
    """Every second one over https, of which every fourth stops in its handshake."""
    port = live.tls_port if n % 2 else live.port
    stream = socket.socket()
    stream.settimeout(30)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.connect(("127.0.0.1", port))
    if n % 8 == 7:
        stream.sendall(HELLO)
        return stream
    if n % 2:
        context = ssl.create_default_context(cafile=str(live.ca_bundle))
        stream = context.wrap_socket(stream, server_hostname="127.0.0.1")
    stream.sendall(HALF[n // 2 % len(HALF)])
    return stream


def dribble(held: list):
    for stream in held:
        try:
            stream.settimeout(0)
            stream.send(b" ")
        except OSError:
            pass


def count_open(held: list) -> int:
    """Those that the server has not closed. What it sent before may still be there to read."""
    return sum(not is_closed(stream) for stream in held)


def is_closed(stream) -> bool:
    raw = socket.socket(fileno=stream.fileno()) if isinstance(stream, ssl.SSLSocket) else stream
    try:
        raw.settimeout(0)
        while raw.recv(1 << 20):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        if raw is not stream:
            raw.detach()
    return True
