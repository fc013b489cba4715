"""The v1 YAML pipeline format: read and checked, with line numbers in errors, and its graph."""

from endpoints.authoring.yaml_format.graphs import graph
from endpoints.authoring.yaml_format.model import Pipeline, Reference, Step
from endpoints.authoring.yaml_format.reader import find, read
from endpoints.authoring.yaml_format.source import YamlError

__all__ = ["Pipeline", "Reference", "Step", "YamlError", "find", "graph", "read"]
