"""Environments of runs. They need not be registered: each run keeps its own."""

from rest_framework.response import Response

from runs.api import visible
from runs.wire.entities import run_definition
from studio.core.errors import BadValue, NotFound
from studio.core.rest.views import WireView


class UsedEnvironment(WireView):
    """Answers `Run.get_environment()`, by the name and version in the run's definition."""

    for_endpoint_tokens = for_run_tokens = True

    def get(self, request, name, uuid, **scope):
        run = visible.find_run(self.actor, uuid)
        environment = (run_definition(run) or {}).get("environment") or {}
        if environment.get("name") != name:
            raise NotFound(f"Run {run.uuid} has no environment {name!r}.")
        return Response(environment)

    def put(self, request, name, uuid, **scope):
        raise BadValue(
            "This version is the environment of a run: set environment.version = None to register it.",
            target="version",
        )
