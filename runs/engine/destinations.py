"""Resolves the destinations that a caller or an author chose for outputs. The SDK writes a parameter into
a destination as text (`PipelineParameter_Name:path_Default:a/b`); its value replaces that text."""

from collections.abc import Mapping
from dataclasses import dataclass

from endpoints import data
from endpoints.blueprints import Blueprint
from endpoints.graph import Node, OutputSetting
from endpoints.parameters import Kind, Parameter, datapath_parts
from studio.core.errors import BadValue


@dataclass(frozen=True)
class Destination:
    datastore: str | None  # set if the parameter names one, too
    path: str


def destinations(
    blueprint: Blueprint, values: Mapping[str, str], datapaths: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, str], Destination]:
    """Destinations by node id and output name. A value that is no valid path is refused with the name of
    its parameter."""
    return {
        (node.id, setting.name): _destination(
            blueprint.parameters, values, datapaths, node, setting
        )
        for node in blueprint.graph.nodes.values()
        for setting in node.outputs.values()
        if setting.path_on_datastore
    }


def _destination(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, str],
    datapaths: Mapping[str, Mapping[str, str]],
    node: Node,
    setting: OutputSetting,
) -> Destination:
    asked, store = setting.parameter, None
    path = setting.path_on_datastore or ""
    if asked is not None:
        known = parameters[asked.name]
        value = values.get(asked.name, "")
        if known.kind is Kind.DATAPATH:
            store, value = datapath_parts(datapaths[asked.name])
        path = setting.place(value, default=known.default_text)
    where = f"the destination of output {setting.name} of step {node.name}"
    target = asked.name if asked else setting.name
    try:
        if asked is not None and not value.strip("/"):
            raise BadValue(f"Parameter {target} is empty: it is {where}.", target=target)
        if asked is not None and value.startswith("/"):
            raise BadValue(
                f"Parameter {target}: {value[:100]!r} is absolute, but {where} is a path below its"
                " datastore: remove the leading slash.",
                target=target,
            )
        # Normalised (`a//b` and `./a/b` become `a/b`), so that paths of stored files begin with it.
        return Destination(store, data.path_on_datastore(path))
    except data.PathError as error:
        named = f"Parameter {target}, {where}" if asked else where.capitalize()
        raise BadValue(f"{named}: {' '.join(error.messages)}", target=target) from error
