"""Pages of datasets and datastores: what they list, what they open, and what stays closed."""

import io

import pytest

from endpoints import data
from endpoints.models import Dataset, Datastore
from endpoints.services import register_dataset
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
FLOW = "paths: [{file: https://data.example/%s.csv}]"


@pytest.fixture
def reader(client, workspace):
    who = factories.actor(workspace, Role.READER)
    client.force_login(who.user)
    return client


@pytest.fixture
def store(workspace, tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"
    return Datastore.objects.get(workspace=workspace)


def register(actor, name, **more):
    return register_dataset(actor, name=name, dataset_type="file", dataflow=FLOW % name, **more)


def test_datasets_are_listed_searched_and_opened(actor, reader):
    register(actor, "cats", description="Photographs")
    register(actor, "dogs")
    assert all(name in reader.get("/datasets/").content.decode() for name in ("cats", "dogs"))
    found = reader.get("/datasets/?q=photo").content.decode()
    assert "cats" in found
    assert "dogs" not in found
    page = reader.get(f"/datasets/{Dataset.objects.get(name='cats').uuid}/").content.decode()
    assert "https://data.example/cats.csv" in page
    assert "Photographs" in page


def test_empty_lists_of_datasets_say_why(actor, reader):
    assert "No datasets yet" in reader.get("/datasets/").content.decode()
    register(actor, "cats")
    assert "No match" in reader.get("/datasets/?q=horses").content.decode()
    assert reader.get("/datasets/?q=%00").status_code == 200


def test_the_list_holds_as_many_rows_as_were_asked_for(actor, reader):
    for number in range(12):
        register(actor, f"set{number:02}")
    assert len(reader.get("/datasets/?size=10").context["page"]) == 10
    assert len(reader.get("/datasets/?size=10&page=2").context["page"]) == 2
    assert len(reader.get("/datasets/?size=7&page=x").context["page"]) == 12


def test_other_workspaces_data_is_not_found(reader):
    elsewhere = factories.actor(factories.workspace())
    register(elsewhere, "theirs")
    Datastore.objects.create(workspace=elsewhere.workspace, name="theirs")
    assert "theirs" not in reader.get("/datasets/").content.decode()
    assert "theirs" not in reader.get("/datastores/").content.decode()
    assert reader.get(f"/datasets/{Dataset.objects.get().uuid}/").status_code == 404
    assert reader.get("/datastores/theirs/").status_code == 404


def test_files_of_a_datastore_are_browsed_and_downloaded(reader, store):
    data.resolve(store, "in/2026/a.csv").write(io.BytesIO(b"1,2"))
    address = f"/datastores/{store.name}/"
    assert "in/" in reader.get(address).content.decode()
    assert "a.csv" in reader.get(f"{address}?path=in/2026").content.decode()
    reply = reader.get(f"{address}?path=in/2026/a.csv&download=1")
    assert b"".join(reply.streaming_content) == b"1,2"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="a.csv"'


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("path=../other", 400),
        ("path=/etc/passwd", 404),
        ("path=%00", 400),
        ("path=none", 404),
        ("path=none&download=1", 404),
        ("path=&download=1", 404),
    ],
)
def test_a_path_outside_or_missing_is_refused(reader, store, query, status):
    assert reader.get(f"/datastores/{store.name}/?{query}").status_code == status


def test_a_dataset_shows_one_version_and_lists_all(actor, reader):
    for name in ("cats1", "cats2", "cats3"):
        flow = {"dataset_type": "file", "dataflow": FLOW % name}
        register_dataset(actor, name="cats", create_new_version=True, **flow)
    address = f"/datasets/{Dataset.objects.get().uuid}/"
    page = reader.get(address)
    assert (page.context["version"].number, len(page.context["page"])) == (3, 3)
    assert "cats3.csv" in page.content.decode()
    assert "cats2.csv" not in page.content.decode()
    earlier = reader.get(f"{address}?version=2").content.decode()
    assert "cats2.csv" in earlier
    assert "cats3.csv" not in earlier
    for wrong in ("9", "x", "9" * 30):
        assert reader.get(f"{address}?version={wrong}").status_code == 404
