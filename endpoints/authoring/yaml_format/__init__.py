"""The v1 YAML pipeline format: read, checked, with line numbers in errors, and converted to wire
JSON."""

from endpoints.authoring.yaml_format.model import Pipeline
from endpoints.authoring.yaml_format.reader import find, read
from endpoints.authoring.yaml_format.source import YamlError
from endpoints.authoring.yaml_format.wire import ModuleSpec, graph, interface, modules

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
