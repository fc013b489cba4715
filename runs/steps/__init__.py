"""Runners, one per type of step."""

from runs.steps.base import Order, Runner, StepRefused, Stop, StopFlag
from runs.steps.command import CommandRunner
from runs.steps.python import PythonRunner

RUNNERS: dict[str, Runner] = {
    "PythonScriptStep": PythonRunner(),
    "CommandStep": CommandRunner(),
    "EstimatorStep": PythonRunner(),  # the predecessor of PythonScriptStep
    "ModuleStep": PythonRunner(),  # runs a version of a named module
}

__all__ = ["RUNNERS", "Order", "Runner", "StepRefused", "Stop", "StopFlag"]
