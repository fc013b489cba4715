"""TLS between a connection and its socket."""

import asyncio
import ssl
from pathlib import Path

READ = 64 * 1024


def context_of(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # for older Java and Mono callers
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context


class Secured(asyncio.Protocol):
    """A protocol for the socket, and a transport for the connection above it.

    asyncio's own TLS allocates a quarter of a MiB per connection at its first byte; a thousand
    half-open handshakes would cost that many times over.
    """

    def __init__(self, context: ssl.SSLContext, connection):
        self.connection, self.server = connection, connection.server
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_open = False

    # --- the socket's protocol ---------------------------------------------------------------------
    def connection_made(self, transport):
        self.raw = transport
        self.since = self.server.loop.time()
        self.server.admit(self)

    def data_received(self, data):
        self.incoming.write(data)
        try:
            if not self.is_open:
                self.tls.do_handshake()
                self.is_open = True
                self.server.forget(self)
                self.connection.connection_made(self)
            self._read()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:  # no TLS, too old a version, an untrusted certificate
            self._flush()
            self.raw.close()

    def _read(self):
        while not self.raw.is_closing():
            data = self.tls.read(READ)
            if not data:  # the other side has closed
                self.raw.close()
                return
            self._flush()
            self.connection.data_received(data)

    def _flush(self):
        if self.outgoing.pending:
            self.raw.write(self.outgoing.read())

    def eof_received(self):
        self.raw.close()

    def pause_writing(self):
        if self.is_open:
            self.connection.pause_writing()

    def resume_writing(self):
        if self.is_open:
            self.connection.resume_writing()

    def connection_lost(self, error):
        if self.is_open:
            self.connection.connection_lost(error)
        else:
            self.server.forget(self)

    # --- what the server asks of every connection ---------------------------------------------------
    def check(self, now: float):
        if now - self.since > self.server.limits.handshake:
            self.raw.abort()

    def stop(self):
        self.raw.abort()

    def abort(self):
        self.raw.abort()

    # --- the connection's transport -----------------------------------------------------------------
    def write(self, data):
        if self.raw.is_closing():
            return
        self.tls.write(data)
        self._flush()

    def close(self):
        if self.raw.is_closing():
            return
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # the other side has not closed yet; we do not wait
        self._flush()
        self.raw.close()

    def __getattr__(self, name):
        return getattr(self.raw, name)
