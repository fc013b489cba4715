"""Registered environments (wire.md 9.6)."""

import json

import pytest

from runs import run_tokens
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(workspace):
    return f"/environment/v1.0{workspace.scope}/environments"


def definition(colour):
    return {
        "Name": "e",
        "python": {"interpreterPath": "python"},
        "EnvironmentVariables": {"COLOUR": colour},
        "Docker": {"enabled": False},
        "Spark": {},
        "InferencingStackVersion": None,
        "r": None,
    }


def test_versions(api, url):
    first = api.put(f"{url}/e", definition("green")).body
    assert (first["name"], first["version"]) == ("e", "1")
    assert first["environmentVariables"] == {"COLOUR": "green"}
    assert api.put(f"{url}/e", definition("green")).body["version"] == "1"
    assert api.put(f"{url}/e", definition("blue")).body["version"] == "2"
    assert api.get(f"{url}/e").body["version"] == "2"
    assert api.get(f"{url}/e/versions/1").body["environmentVariables"]["COLOUR"] == "green"
    assert api.get(f"{url}/e/labels/Latest").body["version"] == "2"
    assert api.get(f"{url}/e/labels/other").status == 404
    assert api.get(f"{url}/e/versions/9").status == 404
    assert api.get(f"{url}/e/versions/x").status == 404
    assert [row["version"] for row in api.get(f"{url}/").body["value"]] == ["2"]


def test_a_version_that_is_asked_for(api, url):
    assert api.put(f"{url}/e/versions/7", definition("green")).body["version"] == "7"
    assert api.put(f"{url}/e/versions/7", definition("green")).body["version"] == "7"
    assert api.put(f"{url}/e/versions/7", definition("blue")).status == 409
    assert api.put(f"{url}/e/versions/mine", definition("blue")).status == 400
    assert api.put(f"{url}/e", definition("red")).body["version"] == "8"


@pytest.mark.parametrize(
    "change",
    [{"python": "3.11"}, {"EnvironmentVariables": [1]}, {"Docker": True}, {"r": 4}, {"Name": "e/"}],
)
def test_wrong_types(api, url, change):
    assert api.put(f"{url}/e", definition("green") | change).status == 400
    assert api.get(f"{url}/e").status == 404


def test_what_azure_had_says_how_to_have_it(api, url):
    message = api.get(f"{url}/AzureML-Minimal").body["error"]["message"]
    assert "from_pip_requirements('AzureML-Minimal'" in message
    assert "from_pip_requirements" not in api.get(f"{url}/mine").body["error"]["message"]
    assert api.put(f"{url}/AzureML-Minimal", definition("green")).status == 200
    message = api.get(f"{url}/AzureML-Minimal/versions/7").body["error"]["message"]
    assert message.endswith("Its newest version is 1.")


def test_labels_are_refused_with_what_to_ask_for(api, url):
    api.put(f"{url}/e", definition("green"))
    message = api.put(f"{url}/e/versions/1/metadata", {"Labels": ["prod"]}).body["error"]["message"]
    assert "Environment.get(ws, 'e', version='1')" in message
    message = api.get(f"{url}/e/labels/prod").body["error"]["message"]
    assert "'e' with the label 'prod'" in message and message.endswith("Its newest version is 1.")


def test_readers_register_nothing(api_as, url):
    assert api_as(Role.READER).put(f"{url}/e", definition("green")).status == 403
    assert api_as(Role.PUBLISHER).put(f"{url}/e", definition("green")).status == 200


def test_what_a_run_was_given_is_found_though_nobody_registered_it(
    api, url, elsewhere, workspace, actor
):
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    step = run.children.get()
    wire = run.pipeline_run.graph.wire
    wire["ModuleNodes"][0]["Runconfig"] = json.dumps({"environment": {"python": {}, "name": None}})
    run.pipeline_run.graph.save()
    given = api.get(f"{api.H}/runs/{step.uuid}/details").body["runDefinition"]["environment"]
    assert given["version"] == f"Autosave_{step.uuid}"
    path = f"{url}/{given['name']}/versions/{given['version']}"
    assert api.get(path).body == given
    assert api.get(f"{url}").body["value"] == []
    assert "set environment.version = None" in api.put(path, {}).body["error"]["message"]
    assert elsewhere.get(path).status == 404
    for wrong in ("other/versions/" + given["version"], f"{given['name']}/versions/Autosave_none"):
        assert api.get(f"{url}/{wrong}").status == 404
    in_step = Api(workspace, run_tokens.make(step)[0])
    assert in_step.get(path).body == given
    other = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace, "other"))
    theirs = path.replace(str(step.uuid), str(other.children.get().uuid))
    assert in_step.get(theirs).status == 404


def test_a_run_of_a_registered_environment_names_its_version(api, url, workspace, actor):
    api.put(f"{url}/mine", definition("green"))
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    wire = run.pipeline_run.graph.wire
    registered = api.get(f"{url}/mine").body
    wire["ModuleNodes"][0]["Runconfig"] = json.dumps({"environment": registered})
    run.pipeline_run.graph.save()
    step = run.children.get()
    given = api.get(f"{api.H}/runs/{step.uuid}/details").body["runDefinition"]["environment"]
    assert (given["name"], given["version"]) == ("mine", "1")
    assert api.get(f"{url}/mine/versions/{given['version']}").body == registered
