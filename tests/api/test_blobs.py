"""Artifacts (wire.md 9.4), datastores (wire.md 10.2) and the blob addresses behind both (wire.md 8.3)."""

import base64
import hashlib
import re
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.http import parse_http_date

from endpoints import data
from endpoints.models import Datastore
from runs import engine, run_tokens
from runs.models import Artifact, Outcome, Run, StepRun
from runs.states import Status
from runs.tracking.artifacts import blob_of
from studio.core import tokens
from studio.core.errors import Forbidden
from studio.core.models import Role, Token
from studio.storage import links
from studio.storage.store import studio_store
from tests import factories
from tests.api.conftest import Api
from tests.runs import playing

pytestmark = pytest.mark.django_db
BLOB = {"content_type": "application/octet-stream"}


@pytest.fixture
def run(actor, workspace):
    return factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))


@pytest.fixture
def maker(actor):
    """Whom an address is made for."""
    return tokens.actor_of(tokens.from_plain(factories.token(actor)))


@pytest.fixture
def artifacts(workspace):
    return f"/artifact/v2.0{workspace.scope}/artifacts"


@pytest.fixture
def store(api):
    return api.get(f"/datastore/v1.0{api.workspace.scope}/default").body


def path_of(address: str) -> str:
    """What the client asks of the host it finds in the address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def upload_address(api, artifacts, run, path="outputs/m.pkl"):
    body = {"paths": [{"path": path}]}
    reply = api.post(f"{artifacts}/batch/metadata/ExperimentRun/dcid.{run.uuid}", body)
    assert reply.status == 200
    return reply.body["artifactContentInformation"][path]["contentUri"]


def test_an_artifact_goes_up_and_comes_back(api, anonymous, artifacts, run):
    address = upload_address(api, artifacts, run)
    assert address.startswith("https://a.blob.c@studio.test:8443/artifacts/")
    assert not Artifact.objects.exists()  # nothing is there before its content is
    md5 = base64.b64encode(hashlib.md5(b"0123456789").digest()).decode()  # noqa: S324
    put = anonymous.put(path_of(address), raw=b"0123456789", **{"Content-MD5": md5}, **BLOB)
    assert put.status == 201
    assert put.headers["Content-MD5"] == md5
    head = anonymous.call("HEAD", path_of(address))
    assert head.headers["Content-Length"] == "10"
    assert head.headers["x-ms-blob-type"] == "BlockBlob"
    rows = api.get(f"{artifacts}/ExperimentRun/dcid.{run.uuid}").body["value"]
    assert [row["path"] for row in rows][-1] == "outputs/m.pkl"
    info = api.get(f"{artifacts}/contentinfo/ExperimentRun/dcid.{run.uuid}/outputs/m.pkl").body
    download = path_of(info["contentUri"])
    whole = anonymous.get(download)
    assert whole.raw == b"0123456789"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    part = anonymous.get(download, Range="bytes=2-4")
    assert (part.status, part.raw) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert anonymous.get(download, **{"x-ms-range": "bytes=8-"}).raw == b"89"
    assert anonymous.get(download, Range="bytes=-3").raw == b"789"
    assert anonymous.get(download, Range="bytes=50-60").status == 416
    listed = api.get(f"{artifacts}/prefix/contentinfo/ExperimentRun/dcid.{run.uuid}/outputs")
    assert [row["path"] for row in listed.body["value"]] == ["outputs/m.pkl"]


def test_a_line_break_in_a_name_adds_no_permission(settings, maker):
    settings.SECRET_KEY = "k" * 50
    address = links.signed("", "artifacts", "a/b\nw", by=maker, may="r")
    query = dict(parse_qsl(urlsplit(address).query))
    links.checked("artifacts", "a/b\nw", query, verb="r")
    with pytest.raises(Forbidden, match="not signed"):
        links.checked("artifacts", "a/b", {**query, "sp": "w\nr"}, verb="w")


def test_blocks_are_joined_in_the_order_of_their_list(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    for block, content in (("AA==", b"world"), ("AQ==", b"hello ")):
        put = anonymous.put(f"{path}&comp=block&blockid={block}", raw=content, **BLOB)
        assert put.status == 201
    document = (
        b"<?xml version='1.0'?><BlockList><Latest>AQ==</Latest><Latest>AA==</Latest></BlockList>"
    )
    assert anonymous.put(f"{path}&comp=blocklist", raw=document, **BLOB).status == 201
    assert anonymous.get(path).raw == b"hello world"
    assert Artifact.objects.get().size == 11


@pytest.mark.parametrize(
    "document", [b"", b"<BlockList>", b"<!DOCTYPE x><BlockList/>", b"<B><Latest>none</Latest></B>"]
)
def test_wrong_block_lists(api, anonymous, artifacts, run, document):
    path = path_of(upload_address(api, artifacts, run))
    assert anonymous.put(f"{path}&comp=blocklist", raw=document, **BLOB).status in (400, 404)
    assert not Artifact.objects.exists()


def test_a_path_where_no_file_can_be_is_a_conflict(api, anonymous, artifacts, run):
    def put(path):
        return anonymous.put(path_of(upload_address(api, artifacts, run, path)), raw=b"x", **BLOB)

    assert put("a/b").status == 201
    for path in ("a", "a/b/c", "a/b/c/d"):
        assert put(path).status == 409, path
    assert put("n" * 255).status == 201
    below = path_of(upload_address(api, artifacts, run, "a/b/c"))
    assert anonymous.get(below).status == 404
    assert [row.path for row in Artifact.objects.order_by("path")] == ["a/b", "n" * 255]


def test_a_blob_in_chunks_is_refused_since_half_of_it_looks_whole(api, anonymous, artifacts, run):
    address = path_of(upload_address(api, artifacts, run))
    put = anonymous.put(address, raw=b"0123", **{"Transfer-Encoding": "chunked"}, **BLOB)
    assert put.status == 411
    assert not Artifact.objects.exists()


def test_a_body_that_is_not_what_its_digest_says_leaves_nothing(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    reply = anonymous.put(path, raw=b"abc", **{"Content-MD5": "AAAA"}, **BLOB)
    assert reply.status == 400
    assert anonymous.get(path).status == 404


def test_an_address_opens_what_it_was_signed_for_and_until_then(
    api, anonymous, artifacts, run, maker
):
    path = path_of(upload_address(api, artifacts, run))
    assert anonymous.put(path.replace("m.pkl", "n.pkl"), raw=b"x", **BLOB).status == 403
    assert anonymous.put(path.replace("sp=rcw", "sp=rcwd"), raw=b"x", **BLOB).status == 403
    read_only = links.signed("", "artifacts", f"{run.uuid}/a", by=maker)
    assert anonymous.put(read_only, raw=b"x", **BLOB).status == 403
    late = links.signed("", "artifacts", f"{run.uuid}/a", by=maker, seconds=-1)
    assert anonymous.get(late).status == 403
    assert anonymous.get(path.partition("?")[0]).status == 403


def test_an_address_dies_with_the_token_it_was_made_for(api, anonymous, artifacts, run, store):
    section = store["azureStorageSection"]
    blob = f"/{section['containerName']}/a{section['sasToken']}"
    upload = path_of(upload_address(api, artifacts, run))
    assert anonymous.put(upload, raw=b"x", **BLOB).status == 201
    assert anonymous.put(blob, raw=b"x", **BLOB).status == 201
    live = Token.objects.get(name="test")
    forged = blob.replace(str(live.uuid), str(uuid4()))
    assert anonymous.get(forged).status == 403
    Token.objects.update(revoked_at=timezone.now())
    for path in (upload, blob):
        reply = anonymous.get(path)
        assert reply.status == 403
        assert "has ended" in reply.body["error"]["message"]
        assert anonymous.put(path, raw=b"y", **BLOB).status == 403


def test_what_a_step_was_given_dies_with_its_run(anonymous, workspace, artifacts, run):
    step = run.children.get()
    in_step = Api(workspace, run_tokens.make(Run.objects.get(pk=step.pk))[0])
    upload = path_of(upload_address(in_step, artifacts, step))
    assert anonymous.put(upload, raw=b"x", **BLOB).status == 201
    Run.objects.filter(pk=step.pk).update(status=Status.COMPLETED, finished_at=timezone.now())
    assert anonymous.put(upload, raw=b"y", **BLOB).status == 403
    assert anonymous.get(upload).status == 403


def test_what_an_attempt_was_given_dies_with_it(anonymous, workspace, artifacts, run):
    first = playing.take()
    step = run.children.get(pk=first.step_id)
    in_step = Api(workspace, run_tokens.make(step)[0])
    upload = path_of(upload_address(in_step, artifacts, step))
    assert anonymous.put(upload, raw=b"x", **BLOB).status == 201
    engine.finish(first, Outcome.LOST)
    second = playing.take()
    assert anonymous.put(upload, raw=b"y", **BLOB).status == 403
    own = f"{in_step.H}/runs/{step.uuid}"
    assert in_step.patch(own, {"status": "Failed"}).status == 401
    assert in_step.post(f"{own}/events", {"name": "Run.Failed"}).status == 401
    assert in_step.patch(own, {"tags": {"a": "b"}}).status == 401
    metric = {"values": [{"name": "m", "value": [{"data": {"m": 1}}]}]}
    assert in_step.post(f"{own}/metrics", metric).status == 401
    assert engine.finish(second, Outcome.COMPLETED)
    step.refresh_from_db()
    assert (step.status, step.tags.get("a")) == (Status.COMPLETED, None)


def test_etag_and_time_are_the_files_own(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    put = anonymous.put(path, raw=b"0123", **BLOB)
    first = [anonymous.get(path), anonymous.call("HEAD", path)]
    stamps = {(reply.headers["ETag"], reply.headers["Last-Modified"]) for reply in [put, *first]}
    assert len(stamps) == 1
    [(etag, modified)] = stamps
    file = studio_store().folder / blob_of(run.uuid, "outputs/m.pkl")
    assert parse_http_date(modified) == int(file.stat().st_mtime)
    same = anonymous.get(path, **{"If-None-Match": etag})
    assert (same.status, same.raw, same.headers["ETag"]) == (304, b"", etag)
    assert anonymous.call("HEAD", path, **{"If-None-Match": f'"x", {etag}'}).status == 304
    assert anonymous.get(path, **{"If-Modified-Since": modified}).status == 304
    anonymous.put(path, raw=b"4567", **BLOB)
    again = anonymous.get(path, **{"If-None-Match": etag})
    assert (again.status, again.raw) == (200, b"4567")
    assert again.headers["ETag"] != etag
    assert anonymous.get(path, **{"If-Match": etag}).status == 412


def test_the_listing_tells_the_same_stamps(anonymous, store):
    section = store["azureStorageSection"]
    container, sas = f"/{section['containerName']}", section["sasToken"]
    anonymous.put(f"{container}/a.csv{sas}", raw=b"abc", **BLOB)
    head = anonymous.call("HEAD", f"{container}/a.csv{sas}")
    listing = anonymous.get(f"{container}{sas}&restype=container&comp=list").raw.decode()
    assert f"<Etag>{head.headers['ETag']}</Etag>" in listing
    assert f"<Last-Modified>{head.headers['Last-Modified']}</Last-Modified>" in listing


RANGES = [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    ("bytes=-3", 206, b"789", "bytes 7-9/10"),
    ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=10-", 416, None, "bytes */10"),
    ("bytes=-0", 416, None, "bytes */10"),
    ("bytes=5-2", 200, b"0123456789", None),
    ("bytes=0-1,4-5", 200, b"0123456789", None),
    ("lines=0-1", 200, b"0123456789", None),
]


@pytest.mark.parametrize(("wanted", "status", "content", "told"), RANGES)
def test_ranges(api, anonymous, artifacts, run, wanted, status, content, told):
    path = path_of(upload_address(api, artifacts, run))
    anonymous.put(path, raw=b"0123456789", **BLOB)
    reply = anonymous.get(path, Range=wanted)
    assert (reply.status, reply.headers.get("Content-Range")) == (status, told)
    if content is not None:
        assert (reply.raw, reply.headers["Content-Length"]) == (content, str(len(content)))
    assert anonymous.get(path, Range=wanted, **{"If-Range": '"old"'}).status == 200


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "", "a/../../b"])
def test_paths_that_leave_the_run_are_refused(api, artifacts, run, path):
    body = {"paths": [{"path": path}]}
    url = f"{artifacts}/batch/metadata/ExperimentRun/dcid.{run.uuid}"
    assert api.post(url, body).status == 400


def test_readers_and_steps_of_other_runs_write_no_artifacts(
    api_as, workspace, actor, artifacts, run
):
    url = f"{artifacts}/batch/metadata/ExperimentRun/dcid.{run.uuid}"
    assert api_as(Role.READER).post(url, {"paths": []}).status == 403
    other = factories.run(actor, experiment="o", pipeline=factories.pipeline(workspace))
    step = StepRun.objects.get(run__root=other).run
    in_step = Api(workspace, run_tokens.make(Run.objects.get(pk=step.pk))[0])
    assert in_step.post(url, {"paths": []}).status == 404


# --- datastores --------------------------------------------------------------------------------------
def test_datastore_for_both_kinds_of_client(api, store):
    section = store["azureStorageSection"]
    assert section["credentialType"] == "Sas"
    assert section["credential"] == section["sasToken"]
    assert section["endpoint"] == "c@studio.test:8443"
    base = f"/datastore/v1.0{api.workspace.scope}/datastores"
    assert [row["name"] for row in api.get(base).body["value"]] == [store["name"]]
    assert api.get(f"{base}/workspaceblobstore").body["name"] == "workspaceblobstore"


def test_files_of_a_datastore(api, anonymous, store, workspace):
    section = store["azureStorageSection"]
    container, sas = f"/{section['containerName']}", section["sasToken"]
    for name in ("in/a.csv", "in/b&c.csv", "other.txt"):
        assert (
            anonymous.put(f"{container}/{name.replace('&', '%26')}{sas}", raw=b"abc", **BLOB).status
            == 201
        )
    listing = anonymous.get(f"{container}{sas}&restype=container&comp=list&prefix=in/")
    names = re.findall("<Name>(.*?)</Name>", listing.raw.decode())
    assert names == ["in/a.csv", "in/b&amp;c.csv"]
    page = anonymous.get(f"{container}{sas}&restype=container&comp=list&maxresults=1")
    [marker] = re.findall("<NextMarker>(.*?)</NextMarker>", page.raw.decode())
    assert marker == "in/a.csv"
    more = anonymous.get(f"{container}{sas}&restype=container&comp=list&marker={marker}")
    assert b"other.txt" in more.raw
    assert anonymous.get(f"{container}/in/a.csv{sas}").raw == b"abc"
    assert anonymous.get(f"{container}/in{sas}").status == 404
    assert anonymous.get(f"{container}/none{sas}").status == 404
    place = data.resolve(Datastore.objects.get(workspace=workspace), "in/a.csv")
    assert place.open().read() == b"abc"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "%2e%2e/x", "a%00b", "a%5cb"])
def test_no_path_leaves_its_datastore(anonymous, store, path):
    section = store["azureStorageSection"]
    url = f"/{section['containerName']}/{path}{section['sasToken']}"
    assert anonymous.put(url, raw=b"x", **BLOB).status in (400, 401, 403, 404)
    assert anonymous.get(url).status in (400, 401, 403, 404)


def test_readers_get_a_signature_that_reads(api_as, anonymous):
    reader = api_as(Role.READER)
    section = reader.get(f"/datastore/v1.0{reader.workspace.scope}/default").body[
        "azureStorageSection"
    ]
    url = f"/{section['containerName']}/a{section['sasToken']}"
    assert anonymous.put(url, raw=b"x", **BLOB).status == 403
    assert anonymous.get(url).status == 404


def test_a_log_grows_by_what_is_appended(api, anonymous, artifacts, run):
    address = path_of(upload_address(api, artifacts, run, path="logs/user.txt"))
    missing = anonymous.put(f"{address}&comp=appendblock", raw=b"one ", **BLOB)
    assert missing.status == 404
    assert anonymous.put(address, raw=b"log: ", **BLOB).status == 201
    first = anonymous.put(f"{address}&comp=appendblock", raw=b"one ", **BLOB)
    assert (first.status, first.headers["x-ms-blob-append-offset"]) == (201, "5")
    second = anonymous.put(
        f"{address}&comp=appendblock", raw=b"two", **BLOB, **{"x-ms-blob-condition-appendpos": "9"}
    )
    assert (second.status, second.headers["x-ms-blob-append-offset"]) == (201, "9")
    late = anonymous.put(
        f"{address}&comp=appendblock", raw=b"two", **BLOB, **{"x-ms-blob-condition-appendpos": "9"}
    )
    assert late.status == 412
    wrong = anonymous.put(
        f"{address}&comp=appendblock",
        raw=b"x",
        **BLOB,
        **{"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="},
    )
    assert wrong.status == 400
    info = api.get(f"{artifacts}/contentinfo/ExperimentRun/dcid.{run.uuid}/logs/user.txt").body
    assert anonymous.get(path_of(info["contentUri"])).raw == b"log: one two"
    assert Artifact.objects.get().size == 12


@pytest.mark.parametrize("path", ["out/a b.pkl", "ü&+#%.txt", "a%20b", "./out//a.pkl"])
def test_any_name_goes_up_and_comes_back(api, anonymous, artifacts, run, path):
    """The SDK's storage client quotes the path once more, the one of a step does not."""
    kept = str(PurePosixPath(path))
    for again in (False, True):
        parts = urlsplit(upload_address(api, artifacts, run, path))
        address = f"{quote(parts.path) if again else parts.path}?{parts.query}"
        assert anonymous.put(address, raw=str(again).encode(), **BLOB).status == 201
        assert Artifact.objects.get().path == kept
        told = api.get(f"{artifacts}/contentinfo/ExperimentRun/dcid.{run.uuid}/{quote(kept)}")
        assert anonymous.get(path_of(told.body["contentUri"])).raw == str(again).encode()
