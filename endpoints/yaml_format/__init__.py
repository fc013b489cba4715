"""The v1 YAML pipeline format: read, checked with line numbers, and turned into the wire's JSON."""

from endpoints.yaml_format.model import Pipeline
from endpoints.yaml_format.reader import find, read
from endpoints.yaml_format.source import YamlError
from endpoints.yaml_format.wire import ModuleSpec, graph, interface, modules

__all__ = [
    "ModuleSpec",
    "Pipeline",
    "YamlError",
    "find",
    "graph",
    "interface",
    "modules",
    "read",
]
