import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.graph import Argument, GraphError, read_graph, read_module

# As a step with a parameter, PipelineData, OutputFileDatasetConfig, a dataset and a data path posts it.
MODULE = {
    "CommandLinePattern": "",
    "Inputs": [
        {
            "Name": "titanic",
            "DataTypeIdsList": ["AzureMLDataset"],
            "IsOptional": False,
            "DataStoreMode": "mount",
            "PathOnCompute": None,
            "SkipProcessing": False,
        },
        {"Name": "_run_after_input_0", "DataTypeIdsList": ["AnyFile"], "SkipProcessing": True},
    ],
    "Outputs": [
        {"Name": "made", "DataTypeId": "AnyFile", "DataStoreName": "workspaceblobstore"},
        {"Name": "_run_after_output", "DataTypeId": "AnyFile", "SkipProcessing": True},
    ],
    "Parameters": [
        {"Name": "Target", "ParameterType": "String"},
        {"Name": "Script", "DefaultValue": None},
        {"Name": "Arguments"},
        {"Name": "AutoPrepareEnvironment", "DefaultValue": "true"},
        {
            "Name": "lr",
            "DefaultValue": "0.1",
            "SetEnvironmentVariable": True,
            "EnvironmentVariableOverride": "AML_PARAMETER_lr",
        },
    ],
    "MetadataParameters": [{"Name": "TargetType"}],
    "Arguments": [
        {"ValueType": "Literal", "Value": "--lr"},
        {"ValueType": "Parameter", "Value": "lr"},
        {"ValueType": "Literal", "Value": "DatasetConsumptionConfig:titanic"},
        {"ValueType": "Output", "Value": "made"},
    ],
}
MODULE_ID = "0b4d1a0e-4a52-4c29-8d0a-a2d5f3b1a111"


def node(name, **more):
    return {
        "Id": name,
        "ModuleId": MODULE_ID,
        "ModuleParameters": [
            {"Name": "Target", "ValueType": "0", "Value": "cpu-cluster"},
            {"Name": "Script", "ValueType": "0", "Value": f"{name}.py"},
            {"Name": "Arguments", "ValueType": "0", "Value": "USE_STRUCTURED_ARGUMENTS"},
            {"Name": "lr", "ValueType": "1", "Value": "rate"},
        ],
        "ModuleMetadataParameters": [{"Name": "TargetType", "ValueType": "0", "Value": "mlc"}],
        "ModuleOutputSettings": [
            {
                "Name": "made",
                "DataStoreName": "workspaceblobstore",
                "DataStoreMode": "upload",
                "DatasetOutputOptions": {"PathOnDatastore": "x/{run-id}/y"},
                "DatasetRegistration": {"Name": "made", "CreateNewVersion": True},
            }
        ],
        "Runconfig": json.dumps({"target": "local", "studio": {"retries": 2}}),
        **more,
    }


def edge(source, target, *, source_port="made", target_port="titanic"):
    return {
        "SourceOutputPort": {"NodeId": source, "PortName": source_port},
        "DestinationInputPort": {"NodeId": target, "PortName": target_port},
    }


def wire(**more):
    return {
        "ModuleNodes": [node("second"), node("first", RegenerateOutput=True)],
        "DatasetNodes": [
            {
                "Id": "data",
                "DataSetDefinition": {
                    "DataTypeShortName": "AzureMLDataset",
                    "Value": {"SavedDataSetReference": {"Id": "8739"}},
                },
            }
        ],
        "Edges": [
            edge("data", "first", source_port="data"),
            edge("first", "second"),
            {
                "SourceOutputPort": {"NodeId": "second", "PortName": "made"},
                "DestinationInputPort": {"GraphPortName": "report"},
            },
        ],
        **more,
    }


INTERFACE = {"Parameters": [{"Name": "rate", "DefaultValue": "0.1", "Type": "1"}]}


def parse(posted=None, interface=None):
    modules = {MODULE_ID: read_module(MODULE, name="train")}
    return read_graph(posted or wire(), interface or INTERFACE, modules=modules)


def test_it_reads_what_the_sdk_posts():
    graph = parse()
    graph.validate(known_modules=[MODULE_ID])
    first = graph.nodes["first"]
    assert (first.name, first.script, first.target) == ("train", "first.py", "cpu-cluster")
    assert first.regenerate and not graph.nodes["second"].regenerate
    assert first.retries == 2 and first.timeout_seconds is None
    output = first.outputs["made"]
    assert (output.mode, output.path_on_datastore) == ("upload", "x/{run-id}/y")
    assert output.register_as == "made"
    assert first.arguments()[2] == Argument("Literal", "DatasetConsumptionConfig:titanic")
    assert graph.datasets["data"].value == {"SavedDataSetReference": {"Id": "8739"}}
    assert graph.datasets["data"].name == "titanic"
    assert graph.pipeline_outputs == {"report": ("second", "made")}
    assert graph.topological_order() == ["first", "second"]
    assert graph.parents("second") == ["first"] and graph.children("first") == ["second"]


def test_a_module_step_has_arguments_of_its_own_and_the_runconfig_of_its_module():
    words = (
        "--in,$AZUREML_DATAREFERENCE_titanic,$AZUREML_DATAREFERENCE_made,$AML_PARAMETER_lr,$HOME"
    )
    own = {"Name": "Arguments", "ValueType": "0", "Value": words}
    posted = node("only", ModuleParameters=[own], Runconfig=None)
    module = read_module(MODULE, runconfig='{"environment": {"name": "theirs"}}')
    read = read_graph({"ModuleNodes": [posted]}, modules={MODULE_ID: module}).nodes["only"]
    assert read.arguments() == (
        Argument("Literal", "--in"),
        Argument("Input", "titanic"),
        Argument("Output", "made"),
        Argument("Parameter", "lr"),
        Argument("Literal", "$HOME"),
    )
    assert read.runconfig == {"environment": {"name": "theirs"}}


def test_variables_of_a_runconfig_join_those_of_its_environment():
    runconfig = {
        "environment": {"name": "e", "EnvironmentVariables": {"A": "theirs", "B": "theirs"}},
        "environmentVariables": {"A": "own"},
    }
    posted = node("only", Runconfig=json.dumps(runconfig))
    read = read_graph({"ModuleNodes": [posted]}, modules={MODULE_ID: read_module(MODULE)})
    environment = read.nodes["only"].runconfig["environment"]
    assert environment == {"name": "e", "environmentVariables": {"A": "own", "B": "theirs"}}


@pytest.mark.parametrize(
    "runconfig",
    [
        {"environmentVariables": ["A"]},
        {"environmentVariables": {"A": "1"}, "environment": "mine"},
        {"environmentVariables": {"A=B": "1"}},
        {"environment": {"environmentVariables": {"": "1"}}},
        {"environmentVariables": {"A": "1"}, "environment": {"environmentVariables": "B"}},
    ],
)
def test_variables_that_are_none_are_refused(runconfig):
    posted = node("only", Runconfig=json.dumps(runconfig))
    with pytest.raises(GraphError, match=r"Expected an object|no name of a variable"):
        read_graph({"ModuleNodes": [posted]}, modules={MODULE_ID: read_module(MODULE)})


def test_values_come_from_the_run_then_the_node_then_the_module():
    first = parse().nodes["first"]
    assert first.value("lr", {"rate": "0.5"}) == "0.5"
    assert first.value("AutoPrepareEnvironment") == "true"
    assert first.value("nothing") is None
    assert first.environment_variables({"rate": "0.5"}) == {"AML_PARAMETER_lr": "0.5"}


def test_run_after_orders_without_bringing_data():
    posted = wire(
        Edges=[
            edge(
                "first", "second", source_port="_run_after_output", target_port="_run_after_input_0"
            )
        ]
    )
    graph = parse(posted)
    graph.validate()
    assert graph.edges[0].is_run_after
    assert graph.parents("second") == ["first"] and graph.inputs("second") == []


@pytest.mark.parametrize(
    ("posted", "path", "words"),
    [
        ({"ModuleNodes": []}, "Graph.ModuleNodes", "at least one step"),
        ({"ModuleNodes": {}, "Edges": "no"}, "Graph.Edges", "Expected a list"),
        ({"ModuleNodes": [1]}, "Graph.ModuleNodes[0]", "Expected an object"),
        ({"ModuleNodes": [node("a"), node("a")]}, "Graph.ModuleNodes[1].Id", "Two nodes"),
        ({"ModuleNodes": [node("a", ModuleId="")]}, "Graph.ModuleNodes[0].ModuleId", "required"),
        ({"ModuleNodes": [node("a", Runconfig="{")]}, "Graph.ModuleNodes[0].Runconfig", "not JSON"),
        ({"ModuleNodes": [{"ModuleId": "x"}]}, "Graph.ModuleNodes[0].Id", "required"),
        (wire(DatasetNodes=[{"Id": "d"}]), "Graph.DatasetNodes[0]", "names no parameter"),
        (
            wire(Edges=[edge("first", "second"), edge("second", "first")]),
            "Graph.Edges",
            "wait for each other",
        ),
        (wire(Edges=[edge("lost", "first")]), "Graph.Edges[0].SourceOutputPort", "lost"),
        (wire(Edges=[edge("first", "lost")]), "Graph.Edges[0].DestinationInputPort", "lost"),
        (
            wire(Edges=[edge("first", "second", source_port="other")]),
            "Graph.Edges[0].SourceOutputPort",
            "no output other",
        ),
        (
            wire(Edges=[edge("first", "second", target_port="other")]),
            "Graph.Edges[0].DestinationInputPort",
            "no input other",
        ),
        (
            wire(Edges=[edge("data", "second", source_port="data"), edge("first", "second")]),
            "Graph.Edges[1].DestinationInputPort",
            "two sources",
        ),
    ],
)
def test_a_graph_that_cannot_run_is_refused_by_its_place(posted, path, words):
    with pytest.raises(GraphError) as refused:
        parse(posted).validate()
    assert refused.value.path == path
    assert words in refused.value.reason
    assert refused.value.message_dict == {path: [refused.value.reason]}


def test_unknown_modules_and_parameters_are_refused():
    with pytest.raises(GraphError, match="no module"):
        parse().validate(known_modules=[])
    with pytest.raises(GraphError, match="no pipeline parameter rate"):
        parse(interface={"Parameters": []}).validate()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Id", "Name", "ModuleId", "ModuleNodes", "Edges", "DatasetNodes", "Runconfig",
                         "ModuleParameters", "SourceOutputPort", "DataSetDefinition", "Value",
                         "ModuleOutputSettings", "DatasetOutputOptions", "Inputs", "DestinationInputPort"]),
        inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_any_json_is_read_or_refused(posted):
    try:
        read_graph(posted).validate()
    except GraphError:
        pass
    try:
        read_module(posted)
    except GraphError:
        pass


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30))
def test_order_puts_every_parent_before_its_children(pairs):
    edges = [
        edge(str(a), str(b), target_port=f"_run_after_input_{n}")
        for n, (a, b) in enumerate(pairs)
        if a < b
    ]
    graph = read_graph(
        {"ModuleNodes": [node(str(n), ModuleParameters=[]) for n in range(13)], "Edges": edges}
    )
    order = graph.topological_order()
    assert sorted(order, key=int) == [str(n) for n in range(13)]
    assert all(order.index(p) < order.index(n) for n in order for p in graph.parents(n))
