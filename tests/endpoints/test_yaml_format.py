import json
import re
from pathlib import Path

import pytest

from endpoints.authoring import yaml_format
from endpoints.authoring.yaml_format import YamlError
from endpoints.graph import (
    Argument,
    GraphError,
    read_graph,
    read_interface,
    read_module,
    write_graph,
    write_interface,
    write_module,
)
from endpoints.parameters import Kind, resolve

FULL = """\
pipeline:
  name: full
  description: All there is
  version: 1.0
  default_compute: cpu-cluster
  continue_on_step_failure: true
  timeout_seconds: 3600
  parameters:
    epochs: {type: int, default: 3}
    key: {type: string, secret: true, default: ""}
    size: {type: string, choices: [small, large], default: small}
    required: {type: string}
    place: {type: datapath, default: {datastore: workspaceblobstore, path_on_datastore: in/a}}
    table: {type: dataset, default: {dataset_name: titanic}}
  data_references:
    plain: {datastore: workspaceblobstore, path_on_datastore: in/b}
    known: {dataset_name: titanic, version: 2}
  steps:
    train:
      type: PythonScriptStep
      name: Train it
      script_name: train.py
      compute: gpu
      allow_reuse: false
      retries: 2
      retry_delay_seconds: 5
      timeout_seconds: 60
      environment:
        python: "3.11"
        pip: [pandas]
        conda: [numpy]
        variables: {MODE: fast}
      parameters:
        EPOCHS: {source: epochs}
        FIXED: 7
      inputs:
        place: {source: place}
        table: {source: table, bind_mode: direct}
        plain: {source: plain, bind_mode: download}
        known: {source: known}
      outputs:
        model:
          destination: trained
          bind_mode: upload
          path_on_datastore: models/{run-id}
          register_as: trained-model
          pipeline_output: report
      arguments:
        - --epochs
        - parameter:EPOCHS
        - parameter:size
        - input:table
        - input:plain
        - output:model
        - 0.5
    report:
      type: CommandStep
      command: [cat -n, "input:model"]
      regenerate_outputs: true
      run_after: [train]
      inputs:
        model: {source: trained}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text("print('train')")
    return tmp_path


def write(folder, text):
    (folder / "pipeline.yml").write_text(text)
    return folder


def compiled(folder):
    """The Graph as the executor reads it, and the interface beside it."""
    pipeline = yaml_format.read(folder)
    ids = {key: f"module-{key}" for key in pipeline.steps}
    built = yaml_format.graph(pipeline, module_ids=ids, source_ids={"plain": "source-plain"})
    wire, interface = write_graph(built), write_interface(pipeline.parameters.values())
    json.dumps([wire, interface])
    modules = {
        ids[key]: read_module(write_module(step.node.module), name=step.node.name)
        for key, step in pipeline.steps.items()
    }
    graph = read_graph(wire, interface, modules=modules)
    graph.validate(known_modules=modules)
    return graph, interface


def by_name(graph, name):
    return next(node for node in graph.nodes.values() if node.name == name)


def test_it_becomes_what_an_sdk_pipeline_posts(folder):
    graph, _ = compiled(write(folder, FULL))
    train, report = by_name(graph, "Train it"), by_name(graph, "report")
    assert (train.script, train.target, train.command) == ("train.py", "gpu", None)
    assert (report.command, report.target) == ("cat -n", "cpu-cluster")
    assert (train.retries, train.retry_delay_seconds, train.timeout_seconds) == (2, 5, 60)
    assert report.regenerate and graph.timeout_seconds == 3600
    assert list(train.module.arguments) == [
        Argument("Literal", "--epochs"),
        Argument("Parameter", "EPOCHS"),
        Argument("Parameter", "size"),
        Argument("Literal", "DatasetConsumptionConfig:table"),
        Argument("Input", "plain"),
        Argument("Output", "model"),
        Argument("Literal", "0.5"),
    ]
    assert list(report.module.arguments) == [Argument("Input", "model")]
    assert {name: port.mode for name, port in train.module.inputs.items()} == {
        "place": "mount", "table": "direct", "plain": "download", "known": "mount",
    }  # fmt: skip
    output = train.outputs["model"]
    assert (output.mode, output.register_as) == ("upload", "trained-model")
    assert output.path_on_datastore == "models/{run-id}"
    assert graph.parents(report.id) == [train.id]
    assert [edge.is_run_after for edge in graph.edges if edge.target == report.id] == [False, True]
    assert graph.pipeline_outputs == {"report": (train.id, "model")}


def test_every_kind_of_source_becomes_a_dataset_node(folder):
    graph, _ = compiled(write(folder, FULL))
    nodes = {node.name: node for node in graph.datasets.values()}
    assert nodes["place"].datapath_parameter == "place"
    assert nodes["table"].dataset_parameter == "table"
    assert nodes["plain"].source_id == "source-plain"
    assert nodes["titanic"].value == {"DataSetReference": {"Name": "titanic", "Version": "2"}}


def test_parameters_reach_the_step_and_its_environment(folder):
    graph, interface = compiled(write(folder, FULL))
    parameters = read_interface(interface)
    assert parameters["key"].secret and parameters["size"].choices == ("small", "large")
    assert all(parameters[name].declared for name in ("epochs", "key", "size", "required"))
    assert parameters["table"].kind is Kind.DATASET and not parameters["required"].optional
    values = resolve(parameters, assignments={"required": "x", "epochs": 9}).values
    assert by_name(graph, "Train it").environment_variables(values) == {
        "AML_PARAMETER_EPOCHS": "9", "AML_PARAMETER_FIXED": "7", "AML_PARAMETER_size": "small",
    }  # fmt: skip


def test_the_environment_travels_in_the_runconfig(folder):
    graph, _ = compiled(write(folder, FULL))
    environment = by_name(graph, "Train it").runconfig["environment"]
    assert environment["python"]["condaDependencies"] == {
        "dependencies": ["python=3.11", "numpy", {"pip": ["pandas"]}]
    }
    assert environment["environmentVariables"] == {"MODE": "fast"}
    assert "environment" not in by_name(graph, "report").runconfig


def test_a_runconfig_file_and_its_conda_file_are_read(folder):
    (folder / "run.yml").write_text(
        "target: gpu\nenvironment:\n  python:\n    condaDependenciesFile: conda.yml\n"
    )
    (folder / "conda.yml").write_text("dependencies: [python=3.10, {pip: [requests]}]\n")
    step = "{type: PythonScriptStep, script_name: train.py, runconfig: run.yml}"
    graph, _ = compiled(write(folder, f"pipeline:\n  steps:\n    one: {step}\n"))
    node = by_name(graph, "one")
    assert node.target == "gpu"
    assert node.runconfig["environment"]["python"]["condaDependencies"] == {
        "dependencies": ["python=3.10", {"pip": ["requests"]}]
    }


def test_numbers_stay_as_they_are_written(folder):
    (folder / "run.yml").write_text(
        "nodeCount: 1\nenvironment:\n  environmentVariables: {A: 1.10, B: 007, C: 1e3, D: 5}\n"
    )
    text = """\
pipeline:
  default_compute: cpu-cluster
  parameters:
    s: {type: string, default: 1.10}
    f: {type: float, default: 0.00001}
  steps:
    one: {type: PythonScriptStep, script_name: train.py, runconfig: run.yml, arguments: [3.10]}
"""
    graph, parameters = compiled(write(folder, text))
    node = by_name(graph, "one")
    variables = node.runconfig["environment"]["environmentVariables"]
    assert {name: str(value) for name, value in variables.items()} == {
        "A": "1.10", "B": "007", "C": "1e3", "D": "5"
    }  # fmt: skip
    assert node.runconfig["nodeCount"] == 1
    assert [argument.value for argument in node.module.arguments] == ["3.10"]
    assert [read_interface(parameters)[name].default for name in ("s", "f")] == ["1.10", "0.00001"]


def test_v1_spellings(folder):
    text = """\
pipeline:
  name: older
  default_compute: cpu-cluster
  parameters:
    n: {type: int}
    yes: {type: bool}
  steps:
    first:
      python_script_step: {script_name: train.py, allow_reuse: false}
      outputs:
        out: {destination: later, type: upload, as_dataset: false}
    second:
      type: PythonScriptStep
      script_name: train.py
      hash_paths: [train.py]
      version: "2"
      runconfig_parameters: {NodeCount: {source: n}}
      inputs:
        before: {source: later, type: download, path_on_compute: data, overwrite: true}
"""
    graph, interface = compiled(write(folder, text))
    assert resolve(read_interface(interface)).values == {"n": "0", "yes": "False"}
    second = by_name(graph, "second")
    assert second.value("NodeCount", {"n": "0"}) == "0"
    assert second.environment_variables({"n": "0"}) == {}
    assert second.module.inputs["before"].path_on_compute == "data"


def step(body):
    return (
        "pipeline:\n  default_compute: c\n  parameters:\n    rate: {type: float}\n"
        f"  steps:\n    train:\n      type: PythonScriptStep\n{body}"
    )


SCRIPT = "      script_name: train.py\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pipeline.yml: The file is empty."),
        ("a: [", "pipeline.yml:1: document:"),
        ("steps: {}", "pipeline.yml:1: steps: Unknown key."),
        ("[1]", "pipeline.yml:1: document: Expected a mapping"),
        ("pipeline: {}", "pipeline.yml:1: pipeline: A pipeline needs at least one step."),
        ("pipeline:\n  stepz: {}\n", "pipeline.yml:2: pipeline.stepz: Unknown key. Did you mean steps?"),
        (
            "pipeline:\n  parameters:\n    n: {type: integer}\n",
            "pipeline.yml:3: pipeline.parameters.n.type: Expected one of",
        ),
        (
            "pipeline:\n  parameters:\n    n:\n      type: int\n      default: ten\n",
            "pipeline.yml:5: pipeline.parameters.n.default:",
        ),
        (
            "pipeline:\n  parameters:\n    n: {type: int}\n    n: {type: int}\n",
            "pipeline.yml:4: pipeline.parameters.n: This key stands here twice.",
        ),
        (
            "pipeline:\n  parameters:\n    p: {type: datapath, default: here}\n",
            "pipeline.yml:3: pipeline.parameters.p.default: Expected a mapping",
        ),
        (
            "pipeline:\n  parameters:\n    k: {type: string, secret: true, default: hush}\n",
            "pipeline.yml:3: pipeline.parameters.k.default: A secret has no default",
        ),
        (step(""), "pipeline.yml:6: pipeline.steps.train: A PythonScriptStep needs script_name."),
        (
            step("      script_name: gone.py\n"),
            "pipeline.yml:8: pipeline.steps.train.script_name: There is no file gone.py.",
        ),
        (
            step("      script_name: ../train.py\n"),
            "pipeline.yml:8: pipeline.steps.train.script_name: ../train.py lies outside",
        ),
        (
            step(SCRIPT + "      source_directory: /etc\n"),
            "pipeline.yml:9: pipeline.steps.train.source_directory: /etc lies outside",
        ),
        (
            step(SCRIPT + "      allow_reuse: sure\n"),
            "pipeline.yml:9: pipeline.steps.train.allow_reuse: Expected true or false.",
        ),
        (
            step(SCRIPT + "      retries: -1\n"),
            "pipeline.yml:9: pipeline.steps.train.retries: Expected a whole number",
        ),
        (
            step(SCRIPT + "      arguments: [--rate, 'parameter:rote']\n"),
            "pipeline.yml:9: pipeline.steps.train.arguments.1: The step has no parameter rote.",
        ),
        (
            step(SCRIPT + "      parameters:\n        r: {source: rote}\n"),
            "pipeline.yml:10: pipeline.steps.train.parameters.r.source: There is no such parameter. "
            "Did you mean rate?",
        ),
        (
            step(SCRIPT + "      inputs:\n        x: {source: nowhere}\n"),
            "pipeline.yml:10: pipeline.steps.train.inputs.x.source: nowhere is no dataset",
        ),
        (
            step(SCRIPT + "      inputs: {x: {source: y, bind_mode: direct}}\n      outputs:\n"
                 "        o: {destination: y}\n"),
            "pipeline.yml:9: pipeline.steps.train.inputs.x.bind_mode: Only a dataset",
        ),
        (
            step(SCRIPT + "      outputs:\n        o: {datastore: s}\n"),
            "pipeline.yml:10: pipeline.steps.train.outputs.o: An output needs a destination.",
        ),
        (
            step(SCRIPT + "      run_after: [train]\n"),
            "pipeline.yml:9: pipeline.steps.train.run_after.0: There is no other step train.",
        ),
        (
            step(SCRIPT).replace("PythonScriptStep", "DatabricksStep"),
            "pipeline.yml:7: pipeline.steps.train.type: Expected one of PythonScriptStep, CommandStep.",
        ),
        (
            step(SCRIPT).replace("  default_compute: c\n", ""),
            "pipeline.yml:5: pipeline.steps.train: The step has no compute",
        ),
    ],
)  # fmt: skip
def test_errors_name_file_line_and_key(folder, text, message):
    with pytest.raises(YamlError) as refused:
        yaml_format.read(write(folder, text))
    assert refused.value.messages[0].startswith(message), refused.value.messages


def test_steps_that_wait_for_each_other_are_found(folder):
    text = step(SCRIPT + "      run_after: [other]\n") + (
        "    other:\n      type: PythonScriptStep\n      script_name: train.py\n      run_after: [train]\n"
    )
    with pytest.raises(GraphError, match="wait for each other"):
        compiled(write(folder, text))


def test_a_few_lines_cannot_become_millions_of_values(folder):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ]
    (folder / "run.yml").write_text("\n".join(lines))
    with pytest.raises(YamlError, match="too large"):
        yaml_format.read(write(folder, step(SCRIPT + "      runconfig: run.yml\n")))


def test_deep_nesting_is_refused(folder):
    with pytest.raises(YamlError, match="nested too deeply"):
        yaml_format.read(write(folder, "pipeline: " + "[" * 20_000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name: "\\uD800"', r"pipeline\.yml:2: .*surrogate"),
        ('"\\uDFFF": x', r"pipeline\.yml:2: .*surrogate"),
        ('name: "a\\0"', r"pipeline\.yml:2: .*NUL"),
        ('name: "\\UFFFFFFFF"', r"Unicode does not have"),
    ],
)
def test_texts_that_nothing_can_hold_are_refused(folder, text, message):
    with pytest.raises(YamlError) as refused:
        yaml_format.read(write(folder, f"pipeline:\n  {text}\n"))
    assert re.search(message, refused.value.messages[0])


@pytest.mark.parametrize("value", ["2001-13-45", '!!int ""', "!!timestamp x", "!!bool x"])
def test_values_that_are_not_what_they_look_like_are_refused(folder, value):
    (folder / "run.yml").write_text(f"a: {value}")
    with pytest.raises(YamlError, match=r"run\.yml:1: .*cannot be read"):
        yaml_format.read(write(folder, step(SCRIPT + "      runconfig: run.yml\n")))


def test_a_folder_without_a_pipeline_is_refused(tmp_path):
    with pytest.raises(YamlError, match=r"no pipeline\.yml"):
        yaml_format.read(tmp_path)
    with pytest.raises(YamlError, match="no such file"):
        yaml_format.read(Path("nowhere"))
