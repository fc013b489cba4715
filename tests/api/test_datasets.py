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
        *({"name": name} for name in ("", "a/", "Query/name=a", ".", "a/../b")),
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


def test_words_of_a_version_are_changed_in_place(api):
    register(api)
    newest = register(api, query="&updateDefinitionIfExists=true", description="", tags={}).body
    assert (newest["description"], newest["tags"]) == ("d", {"a": "b"})
    url = f"{api.D}/datasets/{newest['datasetId']}"
    changed = api.put(url, {"name": "titanic", "description": "", "tags": {"c": "d"}}).body
    assert (changed["description"], changed["tags"]) == ("", {"c": "d"})
    assert changed["latest"] == newest["latest"]
    first = api.put(url, {"tags": {}, "latest": {"versionId": "1"}}).body
    assert (first["latest"]["versionId"], first["description"], first["tags"]) == ("1", "d", {})
    assert api.get(f"{api.D}/datasets/query/name=titanic").body == changed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "other"}, 400),
        ({"tags": "x"}, 400),
        ({"tags": {"a": {}}}, 400),
        ({"description": 1.5, "tags": []}, 400),
        ({"latest": {"versionId": "x"}}, 400),
        ({"latest": {"versionId": "9"}}, 404),
        ({"latest": []}, 400),
    ],
)
def test_what_cannot_be_changed_changes_nothing(api, body, status):
    before = register(api).body
    assert api.put(f"{api.D}/datasets/{before['datasetId']}", body).status == status
    assert api.get(f"{api.D}/datasets/query/name=titanic").body == before


def test_unregistered_name_is_gone_and_its_data_stay(api):
    first = register(api).body
    assert api.delete(f"{api.D}/datasets/titanic").status == 200
    assert api.get(f"{api.D}/datasets/query/name=titanic").status == 404
    assert api.get(f"{api.D}/datasets").body["value"] == []
    assert api.delete(f"{api.D}/datasets/titanic").status == 404
    saved = first["latest"]["savedDatasetId"]
    assert api.get(f"{api.D}/datasets/query/savedDatasetId={saved}").body["value"] == []
    assert api.get(f"{api.D}/saveddatasets/{saved}").body["dataflowJson"] == DATAFLOW
    again = register(api).body
    assert again["latest"]["versionId"] == "1"
    assert again["datasetId"] != first["datasetId"]


def test_readers_change_no_registration(api, api_as):
    made = register(api).body
    reader = api_as(Role.OPERATOR)
    assert reader.put(f"{api.D}/datasets/{made['datasetId']}", {"tags": {}}).status == 403
    assert reader.delete(f"{api.D}/datasets/titanic").status == 403
    assert api.get(f"{api.D}/datasets/query/name=titanic").body == made


def test_clients_are_told_who_adds_datastores(api):
    url = f"/datastore/v1.0{api.workspace.scope}/datastores"
    calls = [
        api.post(url, {"name": "mine", "dataStoreType": "AzureBlob"}),
        api.put(f"{url}/workspaceblobstore", {"name": "workspaceblobstore"}),
        api.delete(f"{url}/workspaceblobstore"),
    ]
    for reply in calls:
        assert reply.status == 400
        assert "administrator" in str(reply.body)
    assert [row["name"] for row in api.get(url).body["value"]] == ["workspaceblobstore"]


def test_a_datastore_that_is_missing_is_answered_by_those_there_are(api):
    base = f"/datastore/v1.0{api.workspace.scope}"
    for address in ("datastores/workspacefilestore", "default/workspacefilestore"):
        reply = api.call("GET" if "stores" in address else "PUT", f"{base}/{address}")
        assert reply.status == 404
        assert "There are: workspaceblobstore." in reply.body["error"]["message"]


def test_names_of_data_without_a_name_are_not_given(api):
    first = register(api).body
    hidden = f"unregistered-{first['datasetId']}"
    assert register(api, hidden).status == 400
    assert api.delete(f"{api.D}/datasets/titanic").status == 200
    assert api.get(f"{api.D}/datasets/query/name={hidden}").status == 404
    assert api.put(f"{api.D}/datasets/{first['datasetId']}", {"description": "x"}).status == 404
    assert api.delete(f"{api.D}/datasets/{hidden}").status == 404


def test_a_name_may_have_a_slash(api):
    assert register(api, "a/b").status == 200
    assert api.get(f"{api.D}/datasets/query/name=a%2Fb").body["name"] == "a/b"
    assert api.delete(f"{api.D}/datasets/a%2Fb").status == 200
    assert api.get(f"{api.D}/datasets").body["value"] == []
