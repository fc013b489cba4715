"""What HTTP allows on the way: packed bodies, other charsets, browsers of other origins."""

import gzip
import json
import zlib

import pytest

from endpoints.views.consume import Call, snippets
from studio.core.rest.parsers import AnyJSONParser
from tests import factories

pytestmark = pytest.mark.django_db
QUERY = {"filter": "(Name eq 'größe')"}
TEXT = json.dumps(QUERY, ensure_ascii=False)
ORIGIN = "https://app.example.com"


def query(api, raw, kind="application/json", **headers):
    return api.post(f"{api.H}/runs:query", raw=raw, content_type=kind, **headers)


@pytest.fixture
def read(monkeypatch):
    """The values that bodies were read as."""
    values = []
    parse = AnyJSONParser.parse

    def noting(self, *arguments, **more):
        values.append(parse(self, *arguments, **more))
        return values[-1]

    monkeypatch.setattr(AnyJSONParser, "parse", noting)
    return values


@pytest.mark.parametrize(
    ("coding", "raw"),
    [
        ("gzip", gzip.compress(TEXT.encode())),
        ("GZIP", gzip.compress(TEXT[:9].encode()) + gzip.compress(TEXT[9:].encode())),
        ("deflate", zlib.compress(TEXT.encode())),
        ("identity", TEXT.encode()),
    ],
    ids=["gzip", "two members", "deflate", "identity"],
)
def test_a_packed_body_is_read(api, read, coding, raw):
    assert query(api, raw, **{"Content-Encoding": coding}).status == 200
    assert read == [QUERY]


def test_a_body_is_bounded_after_it_is_unpacked(api):
    """A trigger takes 4 MiB: 33 MiB of blanks are 32 KB packed."""
    raw = gzip.compress(b" " * (33 << 20) + b"{}")
    assert len(raw) < 40_000
    reply = api.post(f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Name?name=a", raw=raw,
                     **{"Content-Encoding": "gzip"})  # fmt: skip
    assert reply.status == 404  # no such endpoint
    reply = query(api, raw, **{"Content-Encoding": "gzip"})
    assert reply.status == 413
    assert "STUDIO_MAX_BODY_BYTES" in reply.body["error"]["message"]


@pytest.mark.parametrize("raw", [b"{}", gzip.compress(TEXT.encode())[:-4]], ids=["plain", "torn"])
def test_a_body_that_is_not_what_its_coding_says_is_400(api, raw):
    assert query(api, raw, **{"Content-Encoding": "gzip"}).status == 400


def test_an_unknown_coding_is_415(api):
    reply = query(api, TEXT.encode(), **{"Content-Encoding": "br"})
    assert reply.status == 415
    assert "gzip" in reply.body["error"]["message"]


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("utf-8", TEXT.encode()),
        ("utf-8", TEXT.encode("utf-8-sig")),
        ("UTF-16", TEXT.encode("utf-16")),
        ("utf-16", TEXT.encode("utf-16-le")),
        ("utf-16le", TEXT.encode("utf-16-le")),
        ("utf-16be", TEXT.encode("utf-16-be")),
        ("utf-32", TEXT.encode("utf-32")),
        ("iso-8859-1", TEXT.encode("latin-1")),
        ('"windows-1252"', TEXT.encode("cp1252")),
    ],
)
def test_the_charset_of_the_content_type_counts(api, read, charset, raw):
    assert query(api, raw, f"application/json; charset={charset}").status == 200
    assert read == [QUERY]


@pytest.mark.parametrize("charset", ["klingon", "idna", "unicode_escape", "base64", "rot13"])
def test_an_unknown_charset_is_415(api, charset):
    reply = query(api, TEXT.encode(), f"application/json; charset={charset}")
    assert reply.status == 415
    assert "UTF-8" in reply.body["error"]["message"]


def test_bytes_that_are_no_text_of_the_charset_are_400(api):
    assert query(api, b'{"a": "\xff"}', "application/json; charset=utf-8").status == 400


def test_a_form_for_a_token_is_unpacked_too(anonymous):
    reply = anonymous.post(
        "/adfs/oauth2/token",
        raw=gzip.compress(b"grant_type=client_credentials&client_secret=studio_no"),
        **{"Content-Encoding": "gzip"},
    )
    assert reply.status == 401 and reply.body["error"] == "invalid_client"


# --- browsers of other origins -----------------------------------------------------------------------
ASKING = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.fixture
def known_origin(settings):
    settings.STUDIO_CORS_ORIGINS = [ORIGIN]


def test_scripts_of_a_named_origin_may_call(api, anonymous, known_origin):
    asked = anonymous.call("OPTIONS", f"{api.H}/runs:query", **ASKING)
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    for caller, status in ((api, 200), (anonymous, 401)):
        reply = query(caller, TEXT.encode(), Origin=ORIGIN)
        assert reply.status == status
        assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in reply.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in reply.headers


def test_scripts_are_shown_what_the_reply_says_beside_its_body(api, workspace, known_origin):
    pipeline = factories.pipeline(workspace, "train")
    url = f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}"
    sent = {"Origin": ORIGIN, "Idempotency-Key": "once"}
    replies = [api.call("POST", url, {"ExperimentName": "e"}, **sent) for _ in range(2)]
    assert replies[1].headers["Idempotent-Replayed"] == "true"
    shown = replies[1].headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Idempotent-Replayed", "Retry-After", "x-ms-request-id"} <= set(shown)
    asking = {**ASKING, "Access-Control-Request-Headers": "authorization,prefer,idempotency-key"}
    allowed = api.call("OPTIONS", url, **asking).headers["Access-Control-Allow-Headers"]
    assert allowed == asking["Access-Control-Request-Headers"]


def test_scripts_of_other_origins_may_not(api, anonymous, known_origin):
    other = {**ASKING, "Origin": "https://evil.example.com"}
    assert anonymous.call("OPTIONS", f"{api.H}/runs:query", **other).status == 401
    reply = query(api, TEXT.encode(), Origin="https://evil.example.com")
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_without_the_setting_nobody_may(api, anonymous):
    assert anonymous.call("OPTIONS", f"{api.H}/runs:query", **ASKING).status == 401
    reply = query(api, TEXT.encode(), Origin=ORIGIN)
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_pages_are_for_no_other_origin(client, known_origin):
    for reply in (
        client.get("/sign-in/", headers={"Origin": ORIGIN}),
        client.options("/sign-in/", headers=ASKING),
    ):
        assert "Access-Control-Allow-Origin" not in reply.headers


def test_options_tell_a_caller_what_a_route_takes(api):
    reply = api.call("OPTIONS", f"{api.H}/runs:query")
    assert reply.status == 200
    assert "POST" in reply.headers["Allow"]


def test_the_powershell_snippet_sends_utf_8():
    """Windows PowerShell sends a text in Latin-1 unless it is told."""
    call = Call(url="https://h/x", experiment="größe", parameters={}, sdk_lookup="")
    code = next(row["code"] for row in snippets(call) if row["label"] == "PowerShell")
    assert "charset=utf-8" in code and "UTF8.GetBytes($body)" in code
