import json

import pytest

from studio.core.models import Role

pytestmark = pytest.mark.django_db
YAML = "paths:\n- file: https://host.test/titanic.csv\n"
DATAFLOW = json.dumps({"blocks": [], "meta": {"RsDataflow": YAML}})


def register(api, name="titanic", query="", **more):
    body = {
        "name": name,
        "description": "d",
        "tags": {"a": "b"},
        "isVisible": True,
        "datasetType": "tabular",
        "latest": {"dataflow": DATAFLOW, "properties": {}},
        **more,
    }
    return api.post(f"{api.D}/datasets?registerAsPending=false{query}", body)


def test_register_versions_and_lookups(api):
    first = register(api).body
    assert first["latest"]["versionId"] == "1"
    again = register(api)
    assert again.status == 409
    second = register(api, query="&ifExistsOk=true&updateDefinitionIfExists=true").body
    assert second["latest"]["versionId"] == "2"
    query = f"{api.D}/datasets/query"
    assert api.get(f"{query}/name=titanic?includeLatestDefinition=true").body == second
    assert api.get(f"{query}/name=titanic?versionId=1").body == first
    saved = first["latest"]["savedDatasetId"]
    assert api.get(f"{query}/savedDatasetId={saved}?pageSize=1").body["value"] == [first]
    assert api.get(f"{api.D}/datasets?includeInvisible=false").body["value"] == [second]
    assert api.get(f"{query}/name=titanic?versionId=9").status == 404
    assert api.get(f"{query}/name=titanic?versionId=x").status == 400
    assert api.get(f"{query}/color=red").status == 400


def test_every_load_asks_for_its_dataflow(api):
    saved = register(api).body["latest"]["savedDatasetId"]
    url = f"/data/v1.0{api.workspace.scope}/dataversion/unregistered-{saved}/versions/1"
    assert api.get(f"{url}?includeSavedDatasets=true").body["legacyDataflow"] == YAML


def test_unregistered_dataset(api):
    body = {"datasetType": "file", "properties": {}, "dataflowJson": DATAFLOW}
    saved = api.post(f"{api.D}/saveddatasets", body).body
    assert saved["dataflowJson"] == DATAFLOW
    assert api.get(f"{api.D}/saveddatasets/{saved['id']}").body == saved


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"datasetType": "cube"},
        {"datasetType": None},
        {"latest": {}},
        {"latest": "x"},
        {"latest": {"dataflow": "{}"}},
    ],
)
def test_wrong_datasets_are_400(api, change):
    assert register(api, **change).status == 400
    assert api.get(f"{api.D}/datasets").body["value"] == []


def test_registering_needs_a_publisher(api_as):
    assert register(api_as(Role.OPERATOR)).status == 403
