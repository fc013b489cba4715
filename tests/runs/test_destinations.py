"""Destinations of outputs that are made of a parameter, as the SDK posts them: the text of `str()`."""

import pytest

from endpoints import blueprints
from endpoints.services import publish
from runs.models import Run
from runs.states import Status
from studio.core.errors import BadValue

pytestmark = pytest.mark.django_db

WRITE = """
    import os, sys
    os.makedirs(sys.argv[1], exist_ok=True)
    open(sys.argv[1] + "/a.txt", "w").write("x")
"""


@pytest.fixture
def published(studio):
    """`published(path)`: a step's output goes to `path`; `interface` declares what else there is."""

    def make(path: str, *, reuse=False, **interface):
        bare = studio.publish(
            steps={
                "one": {
                    "allow_reuse": reuse,
                    "arguments": ["output:made"],
                    "outputs": {"made": {"destination": "mid"}},
                }
            },
            scripts={"one.py": WRITE},
        )
        wire = bare.graph.wire
        setting = wire["ModuleNodes"][0]["ModuleOutputSettings"][0]
        setting["DatasetOutputOptions"] = {"PathOnDatastore": path}
        return publish(studio.actor, graph=wire, interface=interface, name="destined")

    return make


def place(studio, run: Run) -> str:
    output = studio.step(run).outputs["made"]
    return f"{output['datastore']}/{output['path']}"


PATH = "PipelineParameter_Name:path_Default:a/b"
DECLARED = {"Name": "path", "Type": "4", "DefaultValue": "a/b", "IsOptional": True}


def test_the_default_and_a_given_value_are_where_the_output_goes(studio, published):
    pipeline = published(PATH)
    run = studio.run(pipeline)
    assert run.status == Status.COMPLETED, run.error
    assert place(studio, run) == "workspaceblobstore/a/b"
    run = studio.run(pipeline, assignments={"path": "c/{run-id}/{output-name}"})
    assert run.pipeline_run.warnings == []
    assert place(studio, run) == f"workspaceblobstore/c/{studio.step(run).run.uuid}/made"


def test_it_counts_as_a_parameter_that_is_declared(studio, published):
    pipeline = published(PATH)
    assert pipeline.parameter_defaults == {"path": "a/b"}
    assert list(blueprints.load(pipeline.graph.uuid).parameters) == ["path"]
    run = studio.submit(pipeline)
    assert run.pipeline_run.parameters == {"path": "a/b"}
    assert run.pipeline_run.provenance == {"path": "Default"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("out/" + PATH, "out/c"), (PATH + "/deep", "c/deep"), ("x-" + PATH + ".d", "x-c.d")],
)
def test_what_is_written_around_a_declared_parameter_stays(studio, published, text, expected):
    pipeline = published(text, Parameters=[DECLARED])
    run = studio.submit(pipeline, assignments={"path": "c"})
    assert place(studio, run) == f"workspaceblobstore/{expected}"


@pytest.mark.parametrize(
    "value", ["../up", "a/../../b", "/etc", "C:/x", "a\\b", "s3://bucket/x", "", "/", "x" * 1001]
)
def test_what_is_no_path_is_refused_when_it_is_submitted(studio, published, value):
    pipeline = published(PATH)
    with pytest.raises(BadValue, match=r"Parameter path") as refused:
        studio.submit(pipeline, assignments={"path": value})
    assert (refused.value.status, refused.value.target) == (400, "path")
    assert "the destination of output made of step one" in str(refused.value)
    assert not Run.objects.exists()


def test_a_written_destination_is_looked_at_too_before_anything_runs(studio, published):
    with pytest.raises(BadValue, match=r"The destination of output made of step one.*leaves its"):
        studio.submit(published("../up"))


def test_a_data_path_names_datastore_and_path(studio, published):
    text = "PipelineParameter_Name:path_Default:<azureml.data.datapath.DataPath object at 0x7f>"
    with pytest.raises(Exception, match="has no default: give it in DataPathAssignments"):
        studio.submit(published(text))
    given = {"DataStoreName": "workspaceblobstore", "RelativePath": "chosen"}
    run = studio.submit(published(text), datapaths={"path": given})
    assert place(studio, run) == "workspaceblobstore/chosen"
    row = {"Name": "path", "DefaultValue": {**given, "RelativePath": "declared"}}
    run = studio.submit(published(text, DataPathParameters=[row]))
    assert place(studio, run) == "workspaceblobstore/declared"


def test_another_destination_is_another_result(studio, published):
    pipeline = published(PATH, reuse=True)
    studio.run(pipeline)
    assert studio.step(studio.run(pipeline)).reused_from is not None
    run = studio.run(pipeline, assignments={"path": "c"})
    assert studio.step(run).reused_from is None
    assert place(studio, run) == "workspaceblobstore/c"
