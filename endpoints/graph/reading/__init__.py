"""Reads the posted JSON of graphs, modules and interfaces into `elements`; errors name their place
in it."""

from endpoints.graph.reading.graph import read_graph, read_module_ids
from endpoints.graph.reading.interface import read_interface
from endpoints.graph.reading.module import read_module
from endpoints.graph.reading.runconfig import VARIABLE_NAME

__all__ = ["VARIABLE_NAME", "read_graph", "read_interface", "read_module", "read_module_ids"]
