"""Reads a step's Azure ML environment definition (`parse`) and builds a virtual environment for it (`ensure`)."""

from .build import (
    FEATHERWEIGHT_PATH,
    PACKAGES,
    BuildFailed,
    BuildStopped,
    BuiltEnvironment,
    ensure,
)
from .spec import REAL, EnvironmentRefused, EnvironmentSpec, is_ours, parse
from .surroundings import workers_pip_settings

__all__ = [
    "FEATHERWEIGHT_PATH",
    "PACKAGES",
    "REAL",
    "BuildFailed",
    "BuildStopped",
    "BuiltEnvironment",
    "EnvironmentRefused",
    "EnvironmentSpec",
    "ensure",
    "is_ours",
    "parse",
    "workers_pip_settings",
]
