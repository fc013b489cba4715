import pytest

from endpoints.models import PipelineEndpoint
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline(workspace):
    return factories.pipeline(workspace)


@pytest.fixture
def entity(api, pipeline):
    body = {"Name": "ep", "Description": "demo", "PipelineId": str(pipeline.uuid), "Properties": {}}
    reply = api.post(f"{api.P}/PipelineEndpoints/Create", body)
    assert reply.status == 200
    return reply.body


def replace(api, entity, **changes):
    return api.put(f"{api.P}/PipelineEndpoints/{entity['Id']}", {**entity, **changes})


def test_create_and_read_by_id_and_name(api, entity, pipeline):
    assert entity["DefaultVersion"] == "0"
    assert entity["PipelineVersionList"] == [{"Version": "0", "PipelineId": str(pipeline.uuid)}]
    assert entity["EntityStatus"] == "Active"
    assert api.get(f"{api.P}/PipelineEndpoints/Id/{entity['Id']}").body == entity
    assert api.get(f"{api.P}/PipelineEndpoints/Name?Name=ep").body == entity
    assert api.get(f"{api.P}/PipelineEndpoints").body == [entity]
    assert api.post(entity["Url"], {"ExperimentName": "e"}).status == 200


def test_a_name_is_free_until_taken(api, pipeline):
    path = f"{api.P}/PipelineEndpoints"
    assert api.get(f"{path}/Name?Name=ep").status == 404
    assert api.get(f"{path}/Name").status == 400
    body = {"Name": "ep", "PipelineId": str(pipeline.uuid)}
    assert api.post(f"{path}/Create", body).status == 200
    taken = api.post(f"{path}/Create", body)
    assert taken.status == 400
    assert "exists already" in taken.body["Error"]["Message"]


@pytest.mark.parametrize(
    "change",
    [
        *({"Name": ""}, {"Name": None}, {"Name": "bad/name"}, {"Name": "bad\nname"}),
        *({"PipelineId": "x"}, {"PipelineId": 1}),
    ],
)
def test_bad_input_makes_nothing(api, pipeline, change):
    body = {"Name": "ep", "PipelineId": str(pipeline.uuid)} | change
    assert api.post(f"{api.P}/PipelineEndpoints/Create", body).status in (400, 404)
    assert not PipelineEndpoint.objects.exists()


def test_the_client_appends_a_version_and_sets_the_default(api, entity, workspace):
    second = factories.pipeline(workspace)
    versions = [*entity["PipelineVersionList"], {"Version": "1", "PipelineId": str(second.uuid)}]
    reply = replace(api, entity, PipelineVersionList=versions, DefaultVersion="1")
    assert reply.status == 200
    assert reply.body["PipelineVersionList"] == versions
    assert reply.body["DefaultVersion"] == "1"
    assert reply.body["Etag"] != entity["Etag"]
    pipelines = api.get(f"{api.P}/PipelineEndpoints/{entity['Id']}/pipelines?activeOnly=true").body
    assert [row["Id"] for row in pipelines] == [row["PipelineId"] for row in versions]


def test_a_lost_update_is_409(api, entity, workspace):
    assert replace(api, entity, Description="first").status == 200
    lost = replace(api, entity, Description="second")
    assert lost.status == 409
    assert api.get(f"{api.P}/PipelineEndpoints/Id/{entity['Id']}").body["Description"] == "first"


def test_rename_disable_tags(api, entity):
    reply = replace(api, entity, Name="renamed", EntityStatus="2", tags={"a": "b"})
    assert reply.body["Name"] == "renamed"
    assert reply.body["EntityStatus"] == "Disabled"
    assert reply.body["tags"] == {"a": "b"}
    assert api.get(f"{api.P}/PipelineEndpoints?activeOnly=true").body == []
    assert len(api.get(f"{api.P}/PipelineEndpoints?activeOnly=false").body) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"PipelineVersionList": []},
        {"PipelineVersionList": [{"Version": "0", "PipelineId": "none"}]},
        {"PipelineVersionList": [{"Version": "x"}]},
        {"PipelineVersionList": ["0"]},
        {"PipelineVersionList": {}},
        {"DefaultVersion": "9"},
        {"DefaultVersion": {}},
        {"EntityStatus": "Gone"},
        {"Name": ""},
        {"Name": ["x"]},
        {"tags": [1]},
    ],
)
def test_a_wrong_entity_changes_nothing(api, entity, change):
    assert replace(api, entity, **change).status in (400, 404)
    assert api.get(f"{api.P}/PipelineEndpoints/Id/{entity['Id']}").body == entity


def test_changes_need_a_publisher(api_as, entity):
    assert replace(api_as(Role.OPERATOR), entity, Name="x").status == 403


def test_the_default_that_is_disabled_refuses_and_says_so(api, entity, pipeline):
    api.put(f"{api.P}/Pipelines/{pipeline.uuid}/status", "Disabled")
    reply = api.post(entity["Url"], {"ExperimentName": "e"})
    assert reply.status == 400
    assert "version 0, the default, is disabled" in reply.body["Error"]["Message"]
