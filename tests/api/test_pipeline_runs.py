"""Pipeline runs and nodes as the pipelines service shows them (wire.md 9.2)."""

import pytest
from django.test import Client
from django.utils import timezone

from runs import logs, services
from runs.models import Kind, Run, StepRun
from runs.states import Status
from studio.core.models import AuditEvent, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(actor, workspace):
    pipeline = factories.pipeline(workspace, steps=("one", "two"), edges=[("one", "two")])
    return factories.run(actor, experiment="exp", pipeline=pipeline)


@pytest.fixture
def url(api, run):
    return f"{api.P}/PipelineRuns/{run.uuid}"


def move(run, node, *statuses):
    step = StepRun.objects.get(run__root=run, node_id=f"node-{node}")
    for status in statuses:
        Run.objects.transition(step.pk, to=status)
    return step


def test_entity(api, run, url):
    entity = api.get(url).body
    assert entity["Id"] == str(run.uuid)
    assert entity["TotalRunSteps"] == 2
    assert entity["GraphId"] == str(run.pipeline_run.graph.uuid)
    assert entity["IsSubmitted"] is True
    of_pipeline = api.get(f"{api.P}/PipelineRuns/Pipeline/{run.pipeline.uuid}").body
    assert of_pipeline == [entity]


def test_words_of_the_pipelines_service(api, run, url):
    Run.objects.transition(run.pk, to=Status.RUNNING)
    assert api.get(url).body["Status"]["StatusCode"] == "Running"
    Run.objects.transition(run.pk, to=Status.COMPLETED)
    assert api.get(url).body["Status"]["StatusCode"] == "Finished"


def test_node_statuses(api, run, url):
    step = move(run, "one", Status.PREPARING, Status.RUNNING)
    assert api.post(f"{url}/Graph/Node/StatusCode", ["node-one"]).body == "Running"
    status = api.post(f"{url}/Graph/Node/Status", ["node-one"]).body
    assert (status["StatusCode"], status["RunId"]) == ("Running", str(step.run.uuid))
    everything = api.post(f"{url}/Graph/AllNodes/Status", []).body
    assert set(everything) == {"node-one", "node-two"}
    assert everything["node-one"] == status


def test_a_run_below_another_has_its_own_nodes(api, actor, run, url):
    """Both are of one graph, so their nodes have the same ids."""
    below = factories.run(actor, experiment="exp", pipeline=run.pipeline, parent=run)
    own = api.post(f"{url}/Graph/AllNodes/Status", []).body
    theirs = api.post(f"{api.P}/PipelineRuns/{below.uuid}/Graph/AllNodes/Status", []).body
    for statuses, pipeline_run in ((own, run), (theirs, below)):
        steps = Run.objects.filter(parent=pipeline_run, kind=Kind.STEP)
        assert {row["RunId"] for row in statuses.values()} == {str(step.uuid) for step in steps}
        for step in steps:
            tags = api.get(f"{api.H}/runs/{step.uuid}").body["tags"]
            assert tags["azureml.pipeline"] == str(pipeline_run.uuid)
            assert api.get(f"{api.H}/runs/{step.uuid}/details").status == 200


@pytest.mark.parametrize("body", [["none"], []])
def test_unknown_nodes(api, url, body):
    assert api.post(f"{url}/Graph/Node/StatusCode", body).status in (400, 404)


@pytest.mark.parametrize("body", [{}, "node-one", [1], ["a", "b"]])
def test_bodies_that_are_no_list_of_one_node(api, url, body):
    assert api.post(f"{url}/Graph/Node/StatusCode", body).status == 400


def test_logs_are_raw_text(api, run, url):
    step = move(run, "one", Status.PREPARING)
    log = logs.LogWriter(step.run.uuid, logs.DRIVER_LOG, attempt=1)
    log.write("hello \N{GREEK SMALL LETTER ALPHA}\n".encode())
    log.write(b"world\n")
    reply = api.post(f"{url}/Graph/Shareable/STDOUT", ["node-one"])
    assert reply.raw.decode() == "hello \N{GREEK SMALL LETTER ALPHA}\nworld\n"
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert api.post(f"{url}/Graph/Shareable/JobLog", ["node-one"]).raw == b""


def test_outputs(api, run, url):
    place = {"datastore": "workspaceblobstore", "path": "azureml/x/out"}
    StepRun.objects.filter(run__root=run, node_id="node-one").update(outputs={"out": place})
    found = api.post(f"{url}/Outputs", ["node-one"]).body["out"]
    reference = found["DataLocation"]["DataReference"]
    assert reference["Type"] == "AzureBlob"
    assert reference["AzureBlobReference"] == {
        "RelativePath": "azureml/x/out",
        "AmlDataStoreName": "workspaceblobstore",
    }
    assert api.get(f"{url}/PipelineRunOutputs/none").status == 404


def test_cancel(api, api_as, run, url):
    assert api_as(Role.READER).delete(f"{url}/Execution").status == 403
    reply = api.delete(f"{url}/Execution")
    assert (reply.status, reply.raw) == (200, b"")
    assert api.get(url).body["Status"]["StatusCode"] == "Canceled"
    assert api.get(f"{api.H}/runs/{run.uuid}").body["status"] == "Canceled"


def test_cancel_by_a_post(api, api_as, url):
    assert api_as(Role.READER).post(f"{url}/Cancel").status == 403
    reply = api.post(f"{url}/Cancel")
    assert (reply.status, reply.raw) == (200, b"")
    assert api.get(url).body["Status"]["StatusCode"] == "Canceled"
    assert api.post(f"{url}/Cancel").status == 200


def test_canceling_what_is_over_changes_nothing_and_is_no_error(api, api_as, run, url):
    """The SDK raises at any other answer than 200, and a run may end while the call is on its way."""
    over = {"status": Status.COMPLETED, "finished_at": timezone.now()}
    Run.objects.filter(pk=run.pk).update(**over)
    assert api.delete(f"{url}/Execution").status == 200
    assert api.get(url).body["Status"]["StatusCode"] == "Finished"
    assert api_as(Role.READER).delete(f"{url}/Execution").status == 403
    assert not AuditEvent.objects.filter(verb="cancel").exists()


def test_a_caller_may_wait_for_the_end_of_a_run(api, actor, workspace):
    """The server that holds the call asks again; under any other the answer comes at once."""
    run = factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))
    path = f"{api.P}/PipelineRuns/{run.uuid}"
    client = Client(headers={"Authorization": f"Bearer {api.token}", "Prefer": "wait=50"})
    held = client.get(path, **{"studio.may_hold": True})
    assert (held.status_code, held["x-studio-hold"]) == (204, "1")
    assert client.get(path).json()["Status"]["StatusCode"] == "NotStarted"
    services.cancel(actor, run)
    assert (
        client.get(path, **{"studio.may_hold": True}).json()["Status"]["StatusCode"] == "Canceled"
    )
