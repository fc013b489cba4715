"""The panel of a step beside the graph: what it says, and that links alone open and close it."""

from io import BytesIO

import pytest
from django.urls import reverse

from endpoints import snapshots
from endpoints.models import Module
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = {"Name": "password", "Type": "3", "DefaultValue": "tell-nobody", "Secret": True}
RATE = {"Name": "rate", "Type": "1", "DefaultValue": "0.01"}


KEY = {"Name": "key", "SetEnvironmentVariable": True}


def fill(graph):
    """A script with an argument of each kind, a secret variable, an environment and its own limits."""
    one = graph.wire["ModuleNodes"][0]
    Module.objects.filter(uuid=one["ModuleId"]).update(
        structured_interface={
            "Inputs": [{"Name": "raw", "IsOptional": True}],
            "Outputs": [{"Name": "model"}, {"Name": "_run_after_output"}],
            "Parameters": [{"Name": "lr"}, {**KEY, "EnvironmentVariableOverride": "API_KEY"}],
            "MetadataParameters": [],
            "Arguments": [
                {"ValueType": "Literal", "Value": "--lr"},
                {"ValueType": "Parameter", "Value": "lr"},
                {"ValueType": "Literal", "Value": "two words"},
            ],
        },
    )
    one["ModuleParameters"] += [
        {"Name": "lr", "Value": "rate", "ValueType": "1"},
        {"Name": "key", "Value": "password", "ValueType": "1"},
        {"Name": "MaxRunDurationSeconds", "Value": "90", "ValueType": "0"},
    ]
    one["Runconfig"] = (
        '{"environment": {"name": "mine", "environmentVariables": {"MODE": "tell-nobody"},'
        ' "python": {"condaDependencies": {"dependencies": ["python=3.11", {"pip": ["pandas"]}]}}},'
        ' "studio": {"retries": 2}}'
    )
    graph.save()


@pytest.fixture
def pipeline(workspace):
    row = factories.pipeline(
        workspace, "train", steps=("one", "two"), edges=[("one", "two")], parameters=[RATE, SECRET]
    )
    fill(row.graph)
    files = {"one.py": snapshots.add_file(BytesIO(b"print('hello')"))}
    snapshot = snapshots.create(
        workspace,
        {name: {"sha256": it.sha256, "size": it.size, "mode": 0o644} for name, it in files.items()},
    )
    Module.objects.filter(name="one").update(snapshot=snapshot)
    return row


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = tmp_path.as_uri()


def panel_of(client, row, node="node-one", query=""):
    text = client.get(f"{row.get_absolute_url()}?step={node}{query}").content.decode()
    start = text.index('id="step"')
    return text[start : text.index("</section>", start)]


def test_the_panel_says_what_the_step_is_given_makes_and_runs(client, pipeline, as_role):
    as_role()
    panel = panel_of(client, pipeline)
    for said in (
        "default of pipeline parameter rate",
        "0.01",
        "as API_KEY",
        "one.py",
        "--lr &lt;lr&gt; &#x27;two words&#x27;",
        "cpu-cluster",
        "1m 30s",
        "mine",
        "pandas",
        "sets MODE",
    ):
        assert said in panel, said
    assert "tell-nobody" not in panel


def test_what_a_step_waits_for_is_a_link_to_it(client, pipeline, as_role):
    as_role()
    assert 'href="?step=node-one#step">one</a>' in panel_of(client, pipeline, "node-two")


def test_nodes_and_rows_open_it_and_a_link_closes_it(client, workspace, as_role):
    as_role()
    row = factories.endpoint(workspace, pipelines=[factories.pipeline(workspace) for _ in "ab"])
    page = client.get(f"{row.get_absolute_url()}?version=1").content.decode()
    assert page.count('href="?version=1&amp;step=node-one#step"') == 2  # the drawing and the table
    assert 'id="step"' not in page
    panel = panel_of(client, row, query="&version=1")
    assert 'href="?version=1#node-node-one" data-escape' in panel


def test_a_step_that_is_not_there_is_not_found(client, pipeline, as_role):
    as_role()
    assert client.get(f"{pipeline.get_absolute_url()}?step=nonsense").status_code == 404


def test_the_code_of_a_step_is_read_and_cannot_act_as_a_page(client, pipeline, as_role):
    as_role()
    snapshot = Module.objects.get(name="one").snapshot
    route = reverse("endpoints:pipeline-code", args=[pipeline.uuid, f"{snapshot.uuid}/one.py"])
    assert route in panel_of(client, pipeline)
    reply = client.get(route)
    assert b"".join(reply.streaming_content) == b"print('hello')"
    assert "sandbox" in reply["Content-Security-Policy"]
    assert reply["Content-Type"].startswith("text/plain")
    assert client.get(route.replace("one.py", "two.py")).status_code == 404
    other = factories.pipeline(factories.workspace())
    assert client.get(route.replace(str(pipeline.uuid), str(other.uuid))).status_code == 404


def test_a_source_of_data_has_a_panel_too(client, workspace, as_role):
    as_role()
    row = factories.pipeline(workspace, DataPathParameterList=[{"Name": "ds"}])
    row.graph.wire["DatasetNodes"] = [{"Id": "data1", "DataSetDefinition": {"ParameterName": "ds"}}]
    row.graph.save()
    panel = panel_of(client, row, "data1")
    assert "dataset" in panel
    assert "none: a run must name it" in panel
