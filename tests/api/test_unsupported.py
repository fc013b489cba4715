"""What belongs to services of Azure that are not here: none of it, and what to do instead."""

import pytest

from studio.core.models import Role

pytestmark = pytest.mark.django_db
MODELS = "/modelmanagement/v1.0{}"


@pytest.mark.parametrize("what", ["{}/linkedServices", f"{MODELS}/services", f"{MODELS}/images"])
def test_lists_are_empty(api, workspace, what):
    assert api.get(what.format(workspace.scope)).body == {"value": []}


@pytest.mark.parametrize(
    ("method", "what", "instead"),
    [
        *(
            ("POST", f"{MODELS}/{what}", "Model.download")
            for what in ("services", "packages", "profiles")
        ),
        ("GET", "/environment/v1.0{}/environments/e/versions/1/image", "worker"),
        ("PUT", "{}/connections/made", "set_secret"),
        ("POST", "{}/linkedServices", "set_secret"),
        ("POST", "/hyperdrive/v1.0{}/runs", "ScriptRunConfig"),
        ("POST", "/jasmine/v1.0{}/validation", "ScriptRunConfig"),
        *((method, "{}", "manage.py workspace add") for method in ("PUT", "PATCH", "DELETE")),
    ],
)
def test_refusals_say_what_to_do_instead(api, workspace, method, what, instead):
    reply = api.call(method, what.format(workspace.scope), {"properties": {}})
    assert reply.status == 400
    assert instead in reply.body["error"]["message"]


def test_the_client_of_searches_reads_a_code_that_is_a_number(api, workspace):
    reply = api.post(f"/hyperdrive/v1.0{workspace.scope}/runs", {})
    assert (reply.body["code"], reply.body["message"]) == (400, reply.body["error"]["message"])


def test_no_connections(api, workspace):
    base = f"{workspace.scope}/connections"
    assert api.get(base).body == []
    assert api.get(f"{base}/made").status == api.delete(f"{base}/made").status == 404


def test_keys_are_never_stale(api, workspace):
    assert api.post(f"{workspace.scope}/resynckeys").status == 200


def test_the_group_of_the_workspace_is_there_and_no_other(api, workspace):
    base = f"/subscriptions/{workspace.subscription_id}/resourcegroups"
    assert api.get(f"{base}/{workspace.resource_group}").body["name"] == workspace.resource_group
    assert api.get(f"{base}/other").status == 404


def test_the_default_datastore_stays(api, workspace):
    base = f"/datastore/v1.0{workspace.scope}/default"
    assert api.put(f"{base}/workspaceblobstore").status == 200
    assert api.put(f"{base}/none").status == 404
    workspace.datastores.create(name="further", url="memory://further")
    reply = api.put(f"{base}/further")
    assert reply.status == 400 and reply.body["error"]["target"] == "name"


@pytest.mark.parametrize("how", ["image", "imageoncompute/cpu-cluster"])
def test_a_build_of_an_environment_succeeds_and_its_log_says_when_it_is_built(
    api, anonymous, workspace, how
):
    base = f"/environment/v2.0{workspace.scope}/environments"
    api.put(f"/environment/v1.0{workspace.scope}/environments/e f", {"Name": "e f", "python": {}})
    started = api.post(f"{base}/e%20f/versions/1/{how}")
    assert started.status == 202
    path = started.body["location"].removeprefix("http://testserver")
    built = api.get(path).body
    assert built["status"] == "Succeeded"
    log = anonymous.get(built["logUrl"].removeprefix("http://testserver"))
    assert b"when a step first needs it" in log.raw
    assert int(log.headers["Content-Length"]) == len(log.raw)
    assert anonymous.get(path).status == 401
    for missing in ("e%20f/versions/2", "none/versions/1", "e%20f/versions/latest"):
        assert api.post(f"{base}/{missing}/{how}").status == 404


def test_building_needs_who_may_register(api_as, workspace):
    reader = api_as(Role.READER)
    url = f"/environment/v2.0{workspace.scope}/environments/e/versions/1/image"
    assert reader.post(url).status == 403
