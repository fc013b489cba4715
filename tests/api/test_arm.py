import pytest

pytestmark = pytest.mark.django_db


def test_metadata_names_our_own_login_without_a_token(anonymous):
    reply = anonymous.get("/metadata/endpoints?api-version=2019-10-01")
    [cloud] = reply.body
    assert cloud["name"] == "AzureCloud"
    assert cloud["resourceManager"] == "http://testserver/"
    assert cloud["authentication"]["loginEndpoint"] == "http://testserver/adfs/-"


def test_addresses_follow_the_public_url(anonymous, settings):
    settings.STUDIO_PUBLIC_URL = settings.STUDIO_BASE_URL = "https://studio.example.com"
    [cloud] = anonymous.get("/metadata/endpoints").body
    assert cloud["resourceManager"] == "https://studio.example.com/"


@pytest.mark.parametrize("path", ["/discovery", "/discovery/", "/discovery/workspaces/x"])
def test_discovery_needs_no_token_and_has_all_six_services(anonymous, path):
    services = anonymous.get(path).body
    assert set(services) == {
        *("api", "experimentation", "history", "hyperdrive", "modelmanagement", "studio")
    }
    assert set(services.values()) == {"http://testserver"}


def test_subscriptions_list_the_workspaces_own(api):
    [row] = api.get("/subscriptions?api-version=2022-12-01").body["value"]
    assert row["subscriptionId"] == api.workspace.subscription_id


@pytest.mark.parametrize("prefix", ["", "/rp/workspaces"])
def test_workspace_document(api, prefix):
    reply = api.get(f"{prefix}{api.workspace.scope}?api-version=2022-05-01")
    assert reply.body["id"] == api.workspace.scope
    assert reply.body["properties"]["workspaceId"] == str(api.workspace.uuid)
    assert reply.body["properties"]["discoveryUrl"] == "http://testserver/discovery"


def test_scope_is_read_in_any_case(api):
    assert api.get(api.workspace.scope.upper()).status == 200
    assert api.get(f"{api.workspace.scope.lower()}/computes").status == 200
    trigger = f"/pipelines/v1.0{api.workspace.scope.lower()}/pipelineruns/pipelinesubmit/none"
    assert "none" in api.post(trigger, {}).body["error"]["message"]


def test_workspace_list_shows_the_callers_only(api, elsewhere):
    base = f"/subscriptions/{api.workspace.subscription_id}"
    kind = "providers/Microsoft.MachineLearningServices/workspaces"
    in_group = f"{base}/resourceGroups/{api.workspace.resource_group}/{kind}"
    for path in (f"{base}/{kind}", in_group):
        assert [row["name"] for row in api.get(path).body["value"]] == [api.workspace.name]
        assert elsewhere.get(path).body["value"] == []


def test_computes(api):
    base = f"/rp/workspaces{api.workspace.scope}/computes"
    [row] = api.get(f"{base}?api-version=2020-02-02").body["value"]
    assert row == api.get(f"{base}/cpu-cluster").body
    assert row["properties"]["computeType"] == "AmlCompute"
    assert "userAccountCredentials" not in row["properties"]["properties"]
    assert api.get(f"{base}/none").status == 404
