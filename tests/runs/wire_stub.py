"""The far side of the in-step package: a server that answers from a table and remembers what it was asked."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

WORKSPACE = (
    "/subscriptions/sub/resourceGroups/group"
    "/providers/Microsoft.MachineLearningServices/workspaces/space"
)


@dataclass
class Asked:
    method: str
    path: str
    query: str
    token: str | None
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class WireStub:
    """`answers[method, path]` is (status, body) or a list of them for one call after another."""

    answers: dict = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, method, path, body, *, status=200):
        self.answers[method, path] = (status, body)

    def asked_for(self, method, path):
        return [call for call in self.asked if (call.method, call.path) == (method, path)]

    def reply(self, call: Asked):
        found = self.answers.get((call.method, call.path))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            return 404, {"error": {"message": f"{call.path} was not found", "details": []}}
        return found

    def serve(self):
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = unquote(parts.path).replace(WORKSPACE, "")
                token = self.headers.get("Authorization")
                call = Asked(self.command, path, unquote(parts.query), token, body)
                stub.asked.append(call)
                status, answer = stub.reply(call)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        return server
