"""Compute targets over the resource manager (wire.md 4.5)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from endpoints.models import ComputeTarget
from runs import run_tokens
from runs.models import Run, StepAttempt, Worker
from studio.core.models import AuditEvent, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(workspace):
    return f"{workspace.scope}/computes/made"


def wanted(**inner):
    return {
        "location": "selfhosted",
        "tags": {"team": "a"},
        "properties": {
            "computeType": "AmlCompute",
            "properties": {"vmSize": "STANDARD_D2_V2", "vmPriority": "dedicated", **inner},
        },
    }


def test_a_target_is_made_and_the_client_is_told_how_to_serve_it(api, url):
    assert api.get(url).status == 404
    made = api.put(url, wanted(scaleSettings={"minNodeCount": 1, "maxNodeCount": 4}))
    assert made.status == 200
    assert api.get(made.headers["Azure-AsyncOperation"].partition("testserver")[2]).body == {
        "status": "Succeeded"
    }
    shown = api.get(url).body["properties"]
    assert shown["properties"]["vmSize"] == "STANDARD_D2_V2"
    assert shown["properties"]["scaleSettings"]["maxNodeCount"] == 4
    assert shown["properties"]["currentNodeCount"] is None
    (error,) = shown["properties"]["errors"]
    assert "uv run manage.py worker --queues made" in error["message"]
    assert "manage.py worker --queues made" in shown["description"]
    assert AuditEvent.objects.get(kind="ComputeTarget").verb == "create"


def worker(name, queues, *, is_named=True, **more):
    return Worker.objects.create(
        name=name,
        role="worker",
        host=f"host-{name}",
        pid=1,
        queues=queues,
        is_named=is_named,
        **more,
    )


@pytest.fixture
def running(actor, workspace):
    """A step that a worker runs."""
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    step = Run.objects.get(parent=run)
    StepAttempt.objects.create(step=step.step, number=1, worker="one")
    return step


def test_nodes_are_the_slots_of_the_living_workers(api, workspace, url, running):
    api.put(url, wanted(scaleSettings={"minNodeCount": 3, "maxNodeCount": 4}))
    worker("one", ["cpu-cluster", "made"], slots=2)
    worker("two", ["gpu"])
    worker("gone", ["made"], heartbeat_at=timezone.now() - timedelta(hours=1))
    first, second = api.post(f"{url}/listNodes").body["nodes"]
    assert (first["nodeState"], first["runId"]) == ("running", str(running.uuid))
    assert (second["nodeState"], second["runId"]) == ("idle", None)
    assert first["privateIpAddress"] == "host-one"
    assert first["nodeId"] != second["nodeId"]
    shown = api.get(url).body["properties"]["properties"]
    assert shown["currentNodeCount"] == 2
    assert shown["nodeStateCounts"]["runningNodeCount"] == 1
    assert "2 of the 3 nodes" in shown["errors"][0]["message"]
    by_name = {row["name"]: row for row in api.get(f"{workspace.scope}/computes").body["value"]}
    assert by_name["cpu-cluster"]["properties"]["properties"]["errors"] is None


def test_a_new_target_has_the_nodes_of_the_workers_for_whatever_there_is(api, url):
    """They find it within seconds; a script that made it and asks at once is not told to start one."""
    worker("all", ["cpu-cluster"], is_named=False, slots=3)
    api.put(url, wanted())
    shown = api.get(url).body["properties"]["properties"]
    assert (shown["currentNodeCount"], shown["errors"]) == (3, None)
    worker("own", ["made"])
    assert len(api.post(f"{url}/listNodes").body["nodes"]) == 1


def test_a_node_keeps_the_runs_of_other_workspaces_to_itself(api, url, running):
    api.put(url, wanted())
    worker("one", ["made"])
    Run.objects.filter(pk=running.pk).update(workspace=factories.workspace())
    (node,) = api.post(f"{url}/listNodes").body["nodes"]
    assert (node["nodeState"], node["runId"]) == ("running", None)


def test_sizes_are_those_that_targets_name(api, workspace, url):
    api.put(url, wanted())
    base = f"/subscriptions/{workspace.subscription_id}/providers"
    base = f"{base}/Microsoft.MachineLearningServices/locations/selfhosted"
    rows = api.get(f"{base}/vmSizes").body["amlCompute"]
    assert [row["name"] for row in rows] == ["STANDARD_D2_V2", "STANDARD_LOCAL"]
    assert all(row["vCPUs"] >= 1 and row["memoryGB"] > 0 for row in rows)
    assert api.get(f"{base}/usages").body == api.get(f"{base}/quotas").body == {"value": []}


def test_no_identities(api, url):
    api.put(url, wanted())
    reply = api.patch(url, {"properties": {}, "identity": {"type": "SystemAssigned"}})
    assert reply.status == 400 and "token of its run" in str(reply.body)


def test_making_it_again_changes_it(api, url):
    api.put(url, wanted())
    assert api.put(url, wanted(vmSize="BIG")).status == 200
    assert api.get(url).body["properties"]["properties"]["vmSize"] == "BIG"


def test_scale_is_updated(api, url):
    api.put(url, wanted(scaleSettings={"minNodeCount": 1, "maxNodeCount": 4}))
    body = {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 6}}}}
    assert api.patch(url, body).status == 200
    scale = api.get(url).body["properties"]["properties"]["scaleSettings"]
    assert (scale["minNodeCount"], scale["maxNodeCount"]) == (1, 6)


def test_deleted(api, url):
    api.put(url, wanted())
    assert "Azure-AsyncOperation" in api.delete(url).headers
    assert api.get(url).status == 404


def test_doubled_slash_of_the_client(api, url):
    assert api.put(f"http://testserver/{url}", wanted()).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"properties": {"computeType": "VirtualMachine"}},
        {"properties": {"computeType": "AmlCompute", "properties": 3}},
        wanted(vmSize="x" * 65),
        wanted(scaleSettings=[1]),
        wanted(scaleSettings={"maxNodeCount": "many"}),
        {**wanted(), "tags": [1]},
    ],
)
def test_bad_bodies(api, url, body):
    assert api.put(url, body).status == 400
    assert not ComputeTarget.objects.filter(name="made").exists()


def test_targets_of_other_kinds_are_refused_with_what_to_make(api, url):
    for kind in ("AKS", "Databricks", "HDInsight", "DataFactory", "Batch", "ComputeInstance"):
        reply = api.put(url, {"properties": {"computeType": kind}})
        assert kind in reply.body["error"]["message"]
        assert "AmlCompute.provisioning_configuration" in reply.body["error"]["message"]


@pytest.mark.parametrize("name", ["control", "-x", "a.b", "x" * 65])
def test_names_that_no_queue_can_have(api, workspace, name):
    assert api.put(f"{workspace.scope}/computes/{name}", wanted()).status == 400


def test_publishers_make_targets_and_neither_operators_nor_steps_do(api_as, actor, workspace, url):
    assert api_as(Role.OPERATOR).put(url, wanted()).status == 403
    assert api_as(Role.PUBLISHER).put(url, wanted()).status == 200
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    step = api_as(Role.READER)
    step.token = run_tokens.make(Run.objects.get(parent=run))[0]
    assert step.put(url, wanted()).status == 403
    assert step.delete(f"{workspace.scope}/computes/cpu-cluster").status == 403


@pytest.mark.parametrize(
    "scale",
    [
        *({"minNodeCount": True}, {"maxNodeCount": -1}, {"maxNodeCount": 10**9}),
        *({"minNodeCount": 3, "maxNodeCount": 2}, {"minNodeCount": "1"}),
    ],
)
def test_a_scale_that_cannot_be_changes_nothing(api, url, scale):
    body = wanted(scaleSettings=scale)
    assert api.put(url, wanted()).status == 200
    for method in ("PUT", "PATCH"):
        reply = api.call(method, url, body)
        assert (reply.status, reply.body["error"]["target"]) == (400, next(iter(scale)))


def test_only_the_settings_that_there_are_stay(api, url):
    scale = {"MaxNodeCount": 3, "junk": [1]}
    assert api.put(url, wanted(scaleSettings=scale)).status == 200
    kept = api.get(url).body["properties"]["properties"]["scaleSettings"]
    assert kept["maxNodeCount"] == 3 and "junk" not in kept and "MaxNodeCount" not in kept
