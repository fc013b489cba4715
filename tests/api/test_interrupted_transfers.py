"""What breaks off and goes on: uploads in blocks whose client dies and comes back, snapshots that the
server has lost, and a server whose data is gone (wire.md 8.2, 8.3)."""

import io

import pytest
from django.core.management import call_command
from django.test import Client

from endpoints import snapshots
from endpoints.models import Snapshot
from runs.models import Artifact
from studio.core.models import Workspace
from studio.storage import uploads
from tests import factories
from tests.api.conftest import Api
from tests.api.test_blobs import BLOB, path_of, upload_address
from tests.api.test_content import send

pytestmark = pytest.mark.django_db
BLOCKS = {"MDA=": b"a" * 1000, "MDE=": b"b" * 1000, "MDI=": b"c" * 10}


@pytest.fixture
def artifacts(workspace):
    return f"/artifact/v2.0{workspace.scope}/artifacts"


@pytest.fixture
def run(actor, workspace):
    return factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))


@pytest.fixture
def content(workspace):
    return f"/content/v2.0{workspace.scope}/snapshots"


def block_list(*ids: str) -> bytes:
    rows = "".join(f"<Latest>{block}</Latest>" for block in ids)
    return f"<?xml version='1.0' encoding='utf-8'?><BlockList>{rows}</BlockList>".encode()


def put_blocks(caller, path: str, ids=BLOCKS):
    return [
        caller.put(f"{path}&comp=block&blockid={block}", raw=BLOCKS[block], **BLOB).status
        for block in ids
    ]


def commit(caller, path: str, *ids: str):
    return caller.put(f"{path}&comp=blocklist", raw=block_list(*(ids or BLOCKS)), **BLOB)


def broken_off(url: str, *, sent: bytes, promised: int) -> int:
    """The status of a PUT whose sender dies on the way."""
    half = {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(promised)}
    return Client().generic("PUT", url, b"", content_type=BLOB["content_type"], **half).status_code


def test_a_client_that_died_goes_on_where_it_was(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    assert put_blocks(anonymous, path, ["MDA="]) == [201]
    # In the middle of the second block the connection breaks: what came of it is not a block.
    assert broken_off(f"{path}&comp=block&blockid=MDE%3D", sent=b"bb", promised=1000) == 400
    assert commit(anonymous, path, "MDA=", "MDE=").status == 404
    assert anonymous.get(path).status == 404
    assert not Artifact.objects.exists()
    # It comes back, under a new address of the same artifact, and sends what is missing.
    again = path_of(upload_address(api, artifacts, run))
    assert put_blocks(anonymous, again, ["MDE=", "MDI="]) == [201, 201]
    assert commit(anonymous, again).status == 201
    assert anonymous.get(again).raw == b"".join(BLOCKS.values())
    assert Artifact.objects.get().size == 2010


def test_a_client_that_forgot_where_it_was_starts_over(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    assert put_blocks(anonymous, path, ["MDA=", "MDE="]) == [201, 201]
    assert put_blocks(anonymous, path) == [201, 201, 201]
    assert commit(anonymous, path).status == 201
    assert anonymous.get(path).raw == b"".join(BLOCKS.values())


def test_a_block_that_is_not_what_its_digest_says_keeps_none(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    url = f"{path}&comp=block&blockid=MDA%3D"
    assert anonymous.put(url, raw=b"x", **BLOB, **{"Content-MD5": "AAAA"}).status == 400
    assert commit(anonymous, path, "MDA=").status == 404


def test_what_was_there_stays_until_the_list_of_blocks_is_in(api, anonymous, artifacts, run):
    path = path_of(upload_address(api, artifacts, run))
    assert anonymous.put(path, raw=b"old", **BLOB).status == 201
    assert put_blocks(anonymous, path) == [201, 201, 201]
    assert anonymous.get(path).raw == b"old"
    assert commit(anonymous, path, "MDA=", "bm9uZQ==").status == 404  # one was never sent
    assert anonymous.get(path).raw == b"old"
    assert commit(anonymous, path).status == 201
    assert anonymous.get(path).raw == b"".join(BLOCKS.values())


def test_blocks_of_two_blobs_do_not_mix(api, anonymous, artifacts, run):
    first = path_of(upload_address(api, artifacts, run, "outputs/a"))
    second = path_of(upload_address(api, artifacts, run, "outputs/b"))
    assert put_blocks(anonymous, first, ["MDA="]) == [201]
    assert commit(anonymous, second, "MDA=").status == 404


def test_blocks_that_nobody_claims_go_and_later_ones_stay(api, anonymous, artifacts, run, settings):
    path = path_of(upload_address(api, artifacts, run))
    assert put_blocks(anonymous, path) == [201, 201, 201]
    uploads.remove_unclaimed()
    assert commit(anonymous, path).status == 201
    assert put_blocks(anonymous, path) == [201, 201, 201]
    settings.STUDIO_UPLOAD_HOURS = -1
    uploads.remove_unclaimed()
    assert commit(anonymous, path).status == 404
    assert put_blocks(anonymous, path) == [201, 201, 201]  # so the client sends them again


def test_a_datastore_takes_blocks_as_well(api, anonymous):
    section = api.get(f"/datastore/v1.0{api.workspace.scope}/default").body["azureStorageSection"]
    path = f"/{section['containerName']}/big/file.bin{section['sasToken']}"
    assert put_blocks(anonymous, path, ["MDA="]) == [201]
    assert anonymous.get(path).status == 404
    assert put_blocks(anonymous, path, ["MDE=", "MDI="]) == [201, 201]
    assert commit(anonymous, path).status == 201
    assert anonymous.get(path).raw == b"".join(BLOCKS.values())


# --- snapshots ------------------------------------------------------------------------------------
def test_a_snapshot_that_is_gone_is_asked_for_again(api, anonymous, content, tmp_path):
    """The client sends what changed since the last one; refused, it drops its cache and sends all."""
    _, first = send(api, anonymous, content, {"a.py": b"a1", "b.py": b"b1"})
    Snapshot.objects.filter(uuid=first).delete()
    reply, second = send(
        api, anonymous, content, {"a.py": b"a2"}, names=["a.py", "b.py"], parent=str(first)
    )
    assert reply.status == 400
    assert not Snapshot.objects.filter(uuid=second).exists()
    latest = api.get(f"/content/v1.0{api.workspace.scope}/snapshots/latest/metadata").body
    assert latest["root"]["children"] == {}  # so it holds nothing to be known here
    reply, third = send(
        api, anonymous, content, {"a.py": b"a2", "b.py": b"b1"}, parent=latest["id"]
    )
    assert reply.status == 200
    copy = snapshots.working_copy(Snapshot.objects.get(uuid=third), tmp_path / "copy")
    assert (copy / "b.py").read_bytes() == b"b1"


def test_a_snapshot_of_another_workspace_is_no_parent(api, anonymous, content):
    _, first = send(api, anonymous, content, {"a.py": b"a1", "b.py": b"b1"})
    Snapshot.objects.filter(uuid=first).update(workspace=factories.workspace())
    reply, _ = send(
        api, anonymous, content, {"a.py": b"a2"}, names=["a.py", "b.py"], parent=str(first)
    )
    assert reply.status == 400


# --- a wiped server -------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)  # PostgreSQL empties no table amid a transaction's writes
def test_a_server_that_lost_its_data_is_another_workspace(settings, tmp_path):
    """Clients key their caches by the workspace's id: what the old server held is not looked for."""
    settings.STUDIO_DATA = tmp_path
    ids = set()
    for _ in range(2):
        call_command("prepare", no_samples=True, stdout=io.StringIO())
        [workspace] = Workspace.objects.all()
        caller = Api(workspace, factories.token(factories.actor(workspace)))
        document = caller.get(workspace.scope).body
        assert document["properties"]["workspaceId"] == str(workspace.uuid)
        ids |= {workspace.uuid, workspace.subscription_id}
        call_command("flush", interactive=False, verbosity=0)
    assert len(ids) == 4
