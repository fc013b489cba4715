"""Graphs of pipelines, read from wire JSON. Pure Python."""

from endpoints.graph.elements import (
    PORT_WORD,
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    STRUCTURED_ARGUMENTS,
    Argument,
    Assignment,
    DatasetNode,
    Edge,
    GraphError,
    ModuleInfo,
    ModuleParameter,
    Node,
    OutputSetting,
    Port,
)
from endpoints.graph.graph import Graph
from endpoints.graph.reading import VARIABLE_NAME, read_module

__all__ = [
    "PORT_WORD",
    "RUN_AFTER_INPUT",
    "RUN_AFTER_OUTPUT",
    "STRUCTURED_ARGUMENTS",
    "VARIABLE_NAME",
    "Argument",
    "Assignment",
    "DatasetNode",
    "Edge",
    "Graph",
    "GraphError",
    "ModuleInfo",
    "ModuleParameter",
    "Node",
    "OutputSetting",
    "Port",
    "read_module",
]
