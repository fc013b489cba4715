"""Snapshots of source folders, sent as clients do (wire.md 8.2)."""

import io
import uuid
import zipfile
from urllib.parse import urlsplit

import pytest

from endpoints import snapshots
from endpoints.models import Snapshot
from runs import run_tokens
from runs.models import Run
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def content(workspace):
    return f"/content/v2.0{workspace.scope}/snapshots"


def file(name):
    return {"name": name, "type": "File", "hash": "0", "children": {}}


def tree(*names):
    return {"name": "", "type": "Directory", "children": {name: file(name) for name in names}}


def send(api, anonymous, content, files: dict, *, names=None, parent="", snapshot=None):
    nodes = api.post(f"{content}/getblob", {"FileNames": list(files)}).body["fileNodes"]
    for node in nodes:
        parts = urlsplit(node["blobUri"])
        put = anonymous.put(
            f"{parts.path}?{parts.query}",
            raw=files[node["fullName"]],
            **{"x-ms-blob-type": "BlockBlob"},
        )
        assert put.status == 201
    body = {
        "ParentSnapshotId": parent,
        "Tags": None,
        "Properties": {},
        "DirTreeNode": tree(*(names or files)),
        "FileRevisionList": {
            "FileNodes": [
                {"FullName": node["fullName"], "BlobUri": node["blobUri"], "FileSize": 1}
                for node in nodes
            ]
        },
    }
    snapshot = snapshot or uuid.uuid4()
    return api.post(f"{content}/{snapshot}", body), snapshot


def test_latest_is_an_empty_tree_and_never_an_error(api, workspace):
    reply = api.get(f"/content/v1.0{workspace.scope}/snapshots/latest/metadata")
    assert reply.status == 200
    assert reply.body["root"]["children"] == {}


def test_changed_files_come_from_uploads_and_the_rest_from_the_parent(
    api, anonymous, content, tmp_path
):
    reply, first = send(api, anonymous, content, {"a.py": b"a1", "b.py": b"b1"})
    assert reply.status == 200
    reply, second = send(
        api, anonymous, content, {"a.py": b"a2"}, names=["a.py", "b.py"], parent=str(first)
    )
    assert reply.status == 200
    copy = snapshots.working_copy(Snapshot.objects.get(uuid=second), tmp_path / "copy")
    assert (copy / "a.py").read_bytes() == b"a2"
    assert (copy / "b.py").read_bytes() == b"b1"


def test_an_unknown_parent_makes_the_client_start_again(api, anonymous, content):
    reply, _ = send(
        api, anonymous, content, {"a.py": b"x"}, names=["a.py", "b.py"], parent=str(uuid.uuid4())
    )
    assert reply.status == 400
    assert not Snapshot.objects.exists()


def test_an_id_is_taken_once(api, anonymous, content):
    _, first = send(api, anonymous, content, {"a.py": b"x"})
    reply, _ = send(api, anonymous, content, {"a.py": b"y"}, snapshot=first)
    assert reply.status == 409


@pytest.mark.parametrize("address", ["", "https://elsewhere/x", "https://h/uploads/other/../x"])
def test_only_addresses_we_issued_are_taken(api, content, address):
    body = {
        "DirTreeNode": tree("a.py"),
        "FileRevisionList": {"FileNodes": [{"FullName": "a.py", "BlobUri": address}]},
    }
    assert api.post(f"{content}/{uuid.uuid4()}", body).status == 400


def test_names_that_leave_the_folder_are_refused(api, anonymous, content):
    reply, _ = send(api, anonymous, content, {"../a.py": b"x"})
    assert reply.status == 400


def test_a_snapshot_is_fetched_as_a_zip(api, anonymous, content):
    files = {"a.py": b"a" * 5000, "b.py": b"b"}
    _, snapshot = send(api, anonymous, content, files)
    reply = api.post(f"{content}/{snapshot}/zip")
    assert reply.status == 200, reply.body
    parts = urlsplit(reply.body["zipSasUri"])
    address = f"{parts.path}?{parts.query}"
    fetched = anonymous.get(address)
    assert fetched.status == 200
    with zipfile.ZipFile(io.BytesIO(fetched.raw)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    rest = anonymous.get(address, Range="bytes=10-")
    assert (rest.status, rest.raw) == (206, fetched.raw[10:]), "the same bytes each time"
    assert anonymous.get(parts.path).status == 403
    other = address.replace(str(snapshot), str(uuid.uuid4()))
    assert anonymous.get(other).status == 403
    assert anonymous.put(address, raw=b"x").status == 403
    assert api.post(f"{content}/{uuid.uuid4()}/zip").status == 404


def test_who_may_log_may_keep_its_code_and_a_reader_may_not(api_as, anonymous, content):
    reply, _ = send(api_as(Role.OPERATOR), anonymous, content, {"a.py": b"a"})
    assert reply.status == 200
    assert api_as(Role.READER).post(f"{content}/getblob", {"FileNames": ["a"]}).status == 403


def test_a_step_keeps_code_of_its_own_and_reaches_no_other(
    api, actor, anonymous, content, workspace
):
    _, theirs = send(api, anonymous, content, {"secret.py": b"s"})
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    step = Api(workspace, run_tokens.make(Run.objects.get(parent=run))[0])
    reply, own = send(step, anonymous, content, {"a.py": b"a"})
    assert reply.status == 200
    assert step.get(f"{content}/latest/metadata").status == 200
    names = ["a.py", "secret.py"]
    reply, _ = send(step, anonymous, content, {"a.py": b"a"}, names=names, parent=str(theirs))
    assert reply.status == 400
    for snapshot in (own, theirs):
        assert step.post(f"{content}/{snapshot}/zip").status == 403
