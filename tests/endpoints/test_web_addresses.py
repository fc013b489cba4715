"""A dataset's web address leads neither to this machine nor to its cloud's services, however it is
spelled and over how many redirects; the address that was looked at is the one that is read."""

import http.server
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest

from endpoints.data.web import download
from studio.core.errors import BadValue
from studio.supervisor import tls

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, *args):
        super().__init__(*args)
        self.asked = []  # (Host, path) of each request
        self.released = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.headers["Host"], self.path))
        if self.path.startswith("/part"):
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"x\n9\n")
            if self.path == "/part/slowly":
                self.server.released.wait(60)
            return
        target = self.path.partition("?to=")[2]
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.end_headers()
        self.wfile.write(b"x\n9\n")

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None):
    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web():
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def names(monkeypatch):
    """What names mean: {name: its addresses, of which each question takes the next}."""
    known, ask = {}, socket.getaddrinfo

    def answer(host, *args, **more):
        if host in known:
            address = known[host].pop(0)
            assert known[host] or address, f"{host} was looked up again"
            host = address
        return ask(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


WIDE = "".join(chr(ord(digit) + 0xFEE0) for digit in "127")  # full width, which IDNA makes plain
ANY = "0.0.0.0"  # noqa: S104
SPELLINGS = [
    *("127.0.0.1", "127.0.0.2", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001"),
    *("localhost", "LOCALHOST", WIDE + ".0.0.1", ANY, "0", "0.1.2.3"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::7f00:1]"),
    *("[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "[64:ff9b::a9fe:a9fe]"),
    *("169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fe80::1]", "[fe80::1%25lo]"),
    *("[fd00:ec2::254]", "168.63.129.16", "100.100.100.200", "224.0.0.1", "[ff02::1]"),
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_leads_to_this_machine(web, tmp_path, host):
    with pytest.raises(BadValue) as refusal:
        download(f"http://{host}:{web.server_port}/secret", tmp_path / "file")
    assert web.asked == []
    said = str(refusal.value)
    # What no resolver takes for an address is as good as refused.
    assert "leads to" in said or "could not be read" in said
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"),
        *("[fe80::1]", ANY, "169.254.169.254", "2852039166", "[fd00:ec2::254]"),
        "[64:ff9b::a9fe:a9fe]",
    ],
)
def test_the_refusal_says_what_to_do(tmp_path, host):
    with pytest.raises(BadValue, match=r"leads to .* STUDIO_WEB_ALLOWED_HOSTS"):
        download(f"http://{host}/", tmp_path / "file")


def test_a_name_that_means_this_machine(web, tmp_path, names):
    names["data.example"] = ["127.0.0.1"]
    with pytest.raises(BadValue, match=r"data\.example leads to 127\.0\.0\.1"):
        download(f"http://data.example:{web.server_port}/", tmp_path / "file")
    assert web.asked == []


def test_each_redirect_is_looked_at(web, tmp_path, settings):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    here = f"http://127.0.0.1:{web.server_port}"
    there = f"http://127.0.0.2:{web.server_port}/secret"
    with pytest.raises(BadValue, match=r"leads to 127\.0\.0\.2"):
        download(f"{here}/a?to={here}/b?to={there}", tmp_path / "file")
    assert len(web.asked) == 2
    with pytest.raises(BadValue, match=r"leads to 169\.254\.169\.254"):
        download(f"{here}/a?to=http://169.254.169.254/latest", tmp_path / "file")


def test_the_address_that_was_looked_at_is_read(web, tmp_path, names, settings):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    names["data.example"] = ["127.0.0.1", "127.0.0.2"]
    download(f"http://data.example:{web.server_port}/x", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "x\n9\n"
    assert web.asked == [(f"data.example:{web.server_port}", "/x")]
    assert names["data.example"] == ["127.0.0.2"]  # nobody asked again


def test_a_certificate_is_asked_for_by_name(tmp_path, names, settings, monkeypatch):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    (tmp_path / "tls").mkdir()
    tls.ensure(tmp_path / "tls", hosts=["data.example"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / "server.pem", tmp_path / "tls" / "server.key")
    asked = []
    context.sni_callback = lambda connection, name, _: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "ca.pem"))
    names["data.example"], names["other.example"] = ["127.0.0.1", ""], ["127.0.0.1", ""]
    with serving(context) as server:
        download(f"https://data.example:{server.server_port}/x", tmp_path / "file")
        with pytest.raises(BadValue, match="certificate"):
            download(f"https://other.example:{server.server_port}/x", tmp_path / "file")
    assert asked == ["data.example", "other.example"]


@pytest.mark.parametrize(
    "allowed", ["127.0.0.1", "127.0.0.0/8", "localhost", "LocalHost", " 127.0.0.1 "]
)
def test_what_an_administrator_names_is_read(web, tmp_path, settings, allowed):
    settings.STUDIO_WEB_ALLOWED_HOSTS = [allowed]
    host = "127.0.0.1" if "1" in allowed else "localhost"
    download(f"http://{host}:{web.server_port}/x", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "x\n9\n"


def test_a_file_that_ends_early_is_none(web, tmp_path, settings):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    with pytest.raises(BadValue, match="ended after 4 of 9 bytes"):
        download(f"http://127.0.0.1:{web.server_port}/part", tmp_path / "file")


def test_a_file_that_comes_byte_by_byte_is_given_up(web, tmp_path, settings):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.STUDIO_DOWNLOAD_TIMEOUT_SECONDS = 0
    with pytest.raises(BadValue, match="longer than STUDIO_DOWNLOAD_TIMEOUT_SECONDS"):
        download(f"http://127.0.0.1:{web.server_port}/part/slowly", tmp_path / "file")


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.2", "100.64.0.1", "fd12::1"])
def test_private_networks_are_open_unless_a_setting_closes_them(
    tmp_path, names, settings, monkeypatch, address
):
    reached = []

    def connect(place, *args):
        reached.append(place)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "create_connection", connect)
    names["data.example"] = [address] * 2
    with pytest.raises(BadValue, match="nobody there"):
        download("http://data.example/", tmp_path / "file")
    assert reached == [(address, 80)]
    settings.STUDIO_WEB_PRIVATE_NETWORKS = False
    with pytest.raises(BadValue, match="STUDIO_WEB_PRIVATE_NETWORKS is off"):
        download("http://data.example/", tmp_path / "file")
    assert len(reached) == 1


def test_a_proxy_may_be_here_but_is_not_asked_for_what_is_here(web, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{web.server_port}")
    for host in ("169.254.169.254", "localhost", "2130706433"):
        with pytest.raises(BadValue, match="leads to"):
            download(f"http://{host}/x", tmp_path / "file")
    assert web.asked == []
    download("http://known-to-the-proxy.invalid/x", tmp_path / "file")
    assert web.asked == [("known-to-the-proxy.invalid", "http://known-to-the-proxy.invalid/x")]
    assert (tmp_path / "file").read_text() == "x\n9\n"


@pytest.mark.parametrize("address", ["http://a:b@c:d/", "http://[", "http:///x", "http://x y/"])
def test_an_address_that_is_none_says_so(tmp_path, address):
    with pytest.raises(BadValue, match="could not be read"):
        download(address, tmp_path / "file")
