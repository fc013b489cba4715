from pathlib import Path

import pytest

import endpoints.samples
from endpoints.authoring import yaml_format
from endpoints.graph import (
    ANY_FILE,
    OutputSetting,
    Port,
    read_graph,
    read_interface,
    read_module,
    write_graph,
    write_interface,
    write_module,
    write_runconfig,
)
from endpoints.services import scripts
from tests.endpoints import test_graph, test_yaml_format

SAMPLES = sorted(Path(endpoints.samples.__file__).parent.glob("*/pipeline.yml"))
SCRIPT = scripts.Script(
    snapshot_id="s",
    target="gpu",
    runconfig={"environment": {"name": "e"}},
    script="a.py",
    arguments=("--in", "x"),
    inputs=(Port("in", mode="download", path_on_compute="here", data_types=(ANY_FILE,)),),
    datasets={"in": {"DataSetReference": {"Name": "titanic"}}},
    outputs=(
        OutputSetting("plain"),
        OutputSetting(
            "made",
            datastore="store",
            mode="upload",
            overwrite=True,
            path_on_datastore="a/b",
            register_as="known",
            register_description="What it is",
            register_tags={"a": "b"},
            transformations="blocks: []",
            only=("*.csv",),
        ),
    ),
)


def reread(graph, interface=None):
    modules = {
        node.module_id: read_module(
            write_module(node.module),
            name=node.module.name,
            step_type=node.module.step_type,
            is_deterministic=node.module.is_deterministic,
            runconfig=write_runconfig(node.module.runconfig),
        )
        for node in graph.nodes.values()
    }
    return read_graph(write_graph(graph), interface, modules=modules)


def assert_file_is_read_as_written(path):
    pipeline = yaml_format.read(path)
    graph = yaml_format.graph(
        pipeline,
        module_ids={key: f"module-{key}" for key in pipeline.steps},
        source_ids={name: f"source-{name}" for name in pipeline.references},
    )
    interface = write_interface(pipeline.parameters.values())
    assert reread(graph, interface) == graph
    assert (
        write_interface(read_interface(interface).values())["Parameters"] == interface["Parameters"]
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_what_is_written_of_a_sample_is_read_as_it_was(path):
    assert_file_is_read_as_written(path)


def test_what_is_written_of_every_key_of_a_file_is_read_as_it_was(tmp_path):
    (tmp_path / "train.py").touch()
    (tmp_path / "pipeline.yml").write_text(test_yaml_format.FULL)
    assert_file_is_read_as_written(tmp_path)


def test_what_is_written_of_a_script_is_read_as_it_was():
    graph = scripts.script_graph(SCRIPT, "module")
    assert reread(graph) == graph


def test_what_is_written_of_a_posted_graph_is_read_as_it_was():
    graph = test_graph.parse()
    assert reread(graph, test_graph.INTERFACE) == graph


def test_what_a_destination_keeps_is_written_without_empty_keys():
    [row] = write_graph(scripts.script_graph(SCRIPT, "module"))["ModuleNodes"]
    plain, made = row["ModuleOutputSettings"]
    assert not {"DatasetOutputOptions", "DatasetRegistration"} & plain.keys()
    assert made["DatasetOutputOptions"] == {
        "PathOnDatastore": "a/b",
        "SourceGlobs": {"GlobPatterns": ["*.csv"]},
    }
    assert made["DatasetRegistration"] == {
        "Name": "known",
        "CreateNewVersion": True,
        "Description": "What it is",
        "Tags": {"a": "b"},
        "AdditionalTransformations": "blocks: []",
    }
