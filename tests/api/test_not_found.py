"""What is missing is said in the words that callers test for: not found in workspace."""

import pytest

from tests.api.known import ID

pytestmark = pytest.mark.django_db
SENTENCE = "not found in workspace"
P, D = "/pipelines/v1.0{}", "/dataset/v1.0{}"


@pytest.mark.parametrize(
    "address",
    [
        f"{P}/PipelineEndpoints/Name?Name=none",
        f"{P}/PipelineEndpoints/Id/{ID}",
        f"{P}/Pipelines/{ID}",
        f"{P}/Schedules/{ID}",
        f"{P}/PipelineRuns/{ID}",
        f"{D}/datasets/query/name=none",
        f"{D}/saveddatasets/{ID}",
        "/datastore/v1.0{}/datastores/none",
        "/modelmanagement/v1.0{}/models/none:1",
        "/environment/v1.0{}/environments/none",
        "/environment/v1.0{}/environments/none/versions/1",
        "/rp/workspaces{}/computes/none",
    ],
)
def test_what_is_asked_for(api, workspace, address):
    reply = api.get(address.format(workspace.scope))
    assert reply.status == 404
    assert SENTENCE in reply.body["error"]["message"]


@pytest.mark.parametrize(
    "address", [f"PipelineSubmit/{ID}", f"PipelineEndpointSubmit/Id/{ID}",
                "PipelineEndpointSubmit/Name?name=none"]
)  # fmt: skip
def test_what_is_to_be_run(api, address):
    reply = api.post(f"{api.P}/PipelineRuns/{address}", {"ExperimentName": "e"})
    assert reply.status == 404
    assert SENTENCE in reply.body["Error"]["Message"]
