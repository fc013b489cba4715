"""What a step's Azure ML environment asks for (`parse`), and the virtual environment that meets it (`ensure`)."""

from .build import FEATHERWEIGHT_PATH, BuildFailed, BuildStopped, BuiltEnvironment, ensure
from .spec import REAL, EnvironmentRefused, EnvironmentSpec, is_ours, parse

__all__ = [
    "FEATHERWEIGHT_PATH",
    "REAL",
    "BuildFailed",
    "BuildStopped",
    "BuiltEnvironment",
    "EnvironmentRefused",
    "EnvironmentSpec",
    "ensure",
    "is_ours",
    "parse",
]
