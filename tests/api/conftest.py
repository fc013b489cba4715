"""A caller of the REST API, and a place of its own to call."""

import json
from types import SimpleNamespace

import pytest
from django.test import Client

from studio.core.models import Role
from tests import factories

ERROR_KEYS = {"Error", "Correlation", "error", "correlation", "environment", "location", "time"}


class Api:
    """Calls as clients do, and checks that every error has the one shape (wire.md 3.4)."""

    def __init__(self, workspace, token=None):
        self.workspace, self.token = workspace, token
        self.P = f"/pipelines/v1.0{workspace.scope}"
        self.H = f"/history/v1.0{workspace.scope}"
        self.D = f"/dataset/v1.0{workspace.scope}"

    def call(
        self, method, path, body=None, *, raw=None, content_type="application/json", **headers
    ):
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        reply = Client(headers=headers).generic(method, path, data, content_type=content_type)
        return check(reply)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, {} if body is None else body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, body=None, **more):
        return self.call("DELETE", path, body, **more)


def check(reply):
    """`(status, body)` with `.headers`; an error's body is checked for its shape."""
    raw = reply.getvalue() if hasattr(reply, "getvalue") else reply.content
    try:
        body = json.loads(raw)
    except ValueError:
        body = raw.decode(errors="replace")
    is_oauth = isinstance(body, dict) and "error_description" in body
    is_health = isinstance(body, dict) and "redis" in body
    if reply.status_code >= 400 and not is_oauth and not is_health:
        assert reply.status_code < 500, body
        assert isinstance(body, dict), f"{reply.status_code}: {raw[:300]!r}"
        assert set(body) - {"error_code", "code", "message"} == ERROR_KEYS
        assert body["Error"]["Code"] == body["error"]["code"]
        assert body["Error"]["Message"] == body["error"]["message"] != ""
        assert isinstance(body["error"]["details"], list)
        assert isinstance(body["Error"]["Details"], list)
    return SimpleNamespace(status=reply.status_code, body=body, headers=reply.headers, raw=raw)


@pytest.fixture
def api(workspace, actor):
    return Api(workspace, factories.token(actor))


@pytest.fixture
def api_as(workspace):
    """`api_as(Role.READER)`: a caller with just this role."""
    return lambda role: Api(workspace, factories.token(factories.actor(workspace, role)))


@pytest.fixture
def elsewhere(workspace):
    """An Admin of another workspace, calling into this one."""
    other = factories.actor(factories.workspace(), Role.ADMIN)
    return Api(workspace, factories.token(other))


@pytest.fixture
def anonymous(workspace):
    return Api(workspace)


@pytest.fixture(autouse=True)
def place_of_its_own(tmp_path, settings):
    """Each test has files of its own, and passwords that cost nothing: these are not about them."""
    settings.STUDIO_DATA = tmp_path
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"
    settings.STUDIO_BASE_URL = "https://studio.test:8443"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
