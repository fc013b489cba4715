"""The graph of a pipeline file. Ids that only the database knows are passed in as mappings."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from endpoints.authoring.yaml_format.model import Pipeline
from endpoints.authoring.yaml_format.nodes import node_id
from endpoints.graph import (
    DATA_PORT,
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    DatasetNode,
    Edge,
    Graph,
)
from endpoints.parameters import Kind


def graph(
    pipeline: Pipeline, *, module_ids: Mapping[str, str], source_ids: Mapping[str, str]
) -> Graph:
    """`module_ids` maps step keys to modules, `source_ids` data references to data sources."""
    steps = pipeline.steps.values()
    nodes = [replace(step.node, module_id=module_ids[step.key]) for step in steps]
    used = {source for step in steps for source in step.sources.values()}
    return Graph.of(
        nodes=nodes,
        datasets=[
            _dataset_node(pipeline, name, source_ids)
            for name in [*pipeline.parameters, *pipeline.references]
            if name in used
        ],
        edges=_edges(pipeline),
        pipeline_outputs={
            name: (step.node.id, port)
            for step in steps
            for port, name in step.pipeline_outputs.items()
        },
        parameter_names=pipeline.parameters,
        timeout_seconds=pipeline.timeout_seconds or None,
    )


def _dataset_node(pipeline: Pipeline, name: str, source_ids: Mapping[str, str]) -> DatasetNode:
    key = node_id("data", name)
    parameter = pipeline.parameters.get(name)
    if parameter and parameter.kind is Kind.DATAPATH:
        return DatasetNode(key, datapath_parameter=name)
    if parameter:
        return DatasetNode(key, dataset_parameter=name)
    dataset = pipeline.references[name].dataset
    return (
        DatasetNode(key, value=dataset) if dataset else DatasetNode(key, source_id=source_ids[name])
    )


def _edges(pipeline: Pipeline) -> Iterator[Edge]:
    made = {
        destination: (step.node.id, port)
        for step in pipeline.steps.values()
        for port, destination in step.destinations.items()
    }
    for step in pipeline.steps.values():
        for port, source in step.sources.items():
            yield Edge(*made.get(source, (node_id("data", source), DATA_PORT)), step.node.id, port)
        for index, other in enumerate(step.run_after):
            yield Edge(
                pipeline.steps[other].node.id,
                RUN_AFTER_OUTPUT,
                step.node.id,
                f"{RUN_AFTER_INPUT}{index}",
                is_run_after=True,
            )
