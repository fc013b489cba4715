"""What belongs to services of Azure that are not here: none of it, and what to do instead."""

import pytest

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
        *(
            (method, f"/environment/v{version}.0{{}}/environments/e/versions/1/image", "worker")
            for method, version in (("GET", 1), ("POST", 2))
        ),
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
