"""What a run can be a run of. A target says which verb it needs, and leads to the rows of a run."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from endpoints.models import EndpointVersion, Graph, PipelineEndpoint, PublishedPipeline
from runs.models import Kind, Run
from studio.core.access import Actor, require
from studio.core.errors import BadValue, Refused


@dataclass(frozen=True)
class Found:
    """The graph of a target, and what leads to it; each but the graph may be disabled."""

    graph: Graph
    pipeline: PublishedPipeline | None = None
    endpoint: PipelineEndpoint | None = None
    version: EndpointVersion | None = None
    asked_number: int | None = None  # of the version, if the caller named one
    kind: Kind = Kind.PIPELINE

    @property
    def is_strict(self) -> bool:
        return self.endpoint is not None and self.endpoint.is_strict


@dataclass(frozen=True)
class EndpointTarget:
    """A version of a pipeline endpoint, by its number; else its default, whichever that is now."""

    endpoint: PipelineEndpoint
    number: int | None = None

    def find(self) -> Found:
        version = self._version()
        pipeline = version.pipeline
        return Found(pipeline.graph, pipeline, self.endpoint, version, self.number)

    def _version(self) -> EndpointVersion:
        if self.number is None:
            if self.endpoint.default_version is None:
                text = _("Pipeline endpoint %(name)s has no versions yet.")
                raise Refused(text % {"name": self.endpoint.name}, status=400)
            return self.endpoint.default_version
        found = (
            self.endpoint.versions.select_related("pipeline__graph")
            .defer("pipeline__graph__wire", "pipeline__graph__interface")
            .filter(number=self.number)
            .first()
        )
        if found is None:
            raise BadValue(
                _("Pipeline endpoint %(name)s has no version %(number)s.")
                % {"name": self.endpoint.name, "number": self.number},
                field="version",
            )
        return found


@dataclass(frozen=True)
class PipelineTarget:
    pipeline: PublishedPipeline

    def find(self) -> Found:
        return Found(self.pipeline.graph, self.pipeline)


@dataclass(frozen=True)
class GraphTarget:
    """A stored graph that nobody has published: that of an earlier run."""

    graph: Graph
    kind: Kind = Kind.PIPELINE

    def find(self) -> Found:
        return Found(self.graph, kind=self.kind)


@dataclass(frozen=True)
class NewGraph:
    """A graph that the caller brings, as such or as a script: `make` stores it, in the transaction of
    its run."""

    make: Callable[[Actor], Graph]
    kind: Kind = Kind.PIPELINE

    def store(self, actor: Actor) -> Found:
        return Found(self.make(actor), kind=self.kind)


Published = EndpointTarget | PipelineTarget
Target = Published | GraphTarget | NewGraph


def require_target(actor: Actor, target: Target) -> None:
    """Refuse an actor who may not run this."""
    match target:
        case EndpointTarget(endpoint):
            require(actor, "submit", endpoint)
        case PipelineTarget(pipeline):
            require(actor, "submit", pipeline)
        case GraphTarget(graph):
            require(actor, "run code", graph)
        case NewGraph():
            require(actor, "run code")


def verb_to_run(pipeline: PublishedPipeline | None) -> str:
    """The verb that running a run's graph needs: without a published pipeline it is the caller's
    own code."""
    return "run code" if pipeline is None else "submit"


def target_of(run: Run) -> Target:
    """What runs again when the run is submitted again."""
    if run.endpoint is not None:
        return EndpointTarget(run.endpoint, run.endpoint_version)
    if run.pipeline is not None:
        return PipelineTarget(run.pipeline)
    return GraphTarget(run.pipeline_run.graph, Kind(run.kind))
