"""Rows for tests, made the way the product makes them where that is short, else directly."""

import itertools
import uuid
from dataclasses import fields

from endpoints.models import (
    ComputeTarget,
    Datastore,
    EndpointVersion,
    Graph,
    Module,
    PipelineEndpoint,
    PublishedPipeline,
)
from runs.models import Kind, Run
from runs.submission import (
    EndpointTarget,
    GraphTarget,
    PipelineTarget,
    RunSettings,
    Submission,
    submit,
)
from studio.core import access, tokens
from studio.core.models import Role, RoleGrant, User, Workspace

_numbers = itertools.count(1)


def workspace(name: str = "") -> Workspace:
    """A workspace with the compute target and the datastore that each one starts with."""
    number = next(_numbers)
    place = Workspace.objects.create(
        subscription_id=str(uuid.uuid4()),
        resource_group=name or f"group{number}",
        name=name or f"workspace{number}",
    )
    ComputeTarget.objects.create(workspace=place, name="cpu-cluster")
    Datastore.objects.create(workspace=place, name="workspaceblobstore", is_default=True)
    return place


def user(name: str = "", **more) -> User:
    return User.objects.create_user(username=name or f"user{next(_numbers)}", password="pw", **more)


def actor(place: Workspace, role: Role = Role.ADMIN, person: User | None = None) -> access.Actor:
    """An actor with a role in a workspace, by a user of its own unless one is given."""
    person = person or user()
    RoleGrant.objects.update_or_create(user=person, workspace=place, defaults={"role": role})
    return access.actor_for(person, place)


def token(who: access.Actor, **more) -> str:
    """The plain text of a new token of this actor's user."""
    return tokens.issue(user=who.user, workspace=who.workspace, name="test", **more)[1]


def module(place: Workspace, name: str = "step", **more) -> Module:
    interface = {
        "Inputs": [],
        "Outputs": [],
        "Parameters": [],
        "MetadataParameters": [],
        "Arguments": [],
    }
    return Module.objects.create(
        workspace=place, name=name, structured_interface=more.pop("interface", interface), **more
    )


def graph(place: Workspace, *, steps=("one",), edges=(), parameters=(), **interface) -> Graph:
    """A graph of steps without data; `edges` are pairs of step names, `parameters` wire entries."""
    nodes = {
        name: {
            "Id": f"node-{name}",
            "ModuleId": str(module(place, name).uuid),
            "Name": name,
            "ModuleParameters": [
                {"Name": "Script", "Value": f"{name}.py", "ValueType": "0"},
                {"Name": "Target", "Value": "cpu-cluster", "ValueType": "0"},
            ],
            "ModuleMetadataParameters": [],
            "ModuleOutputSettings": [],
        }
        for name in steps
    }
    wire_edges = [
        {
            "SourceOutputPort": {"NodeId": f"node-{source}", "PortName": "_run_after_output"},
            "DestinationInputPort": {
                "NodeId": f"node-{target}",
                "PortName": f"_run_after_{source}",
            },
        }
        for source, target in edges
    ]
    return Graph.objects.create(
        workspace=place,
        wire={"ModuleNodes": list(nodes.values()), "DatasetNodes": [], "Edges": wire_edges},
        interface={
            "Parameters": list(parameters),
            "DataPathParameters": [],
            "DataPathParameterList": [],
            **interface,
        },
    )


def pipeline(place: Workspace, name: str = "", **graph_parts) -> PublishedPipeline:
    drawn = graph(place, **graph_parts)
    return PublishedPipeline.objects.create(
        workspace=place,
        graph=drawn,
        name=name or f"pipeline{next(_numbers)}",
        step_count=len(drawn.wire["ModuleNodes"]),
        parameter_defaults={
            entry["Name"]: entry.get("DefaultValue", "") for entry in drawn.interface["Parameters"]
        },
    )


def endpoint(
    place: Workspace, name: str = "", *, pipelines=None, **graph_parts
) -> PipelineEndpoint:
    """An endpoint whose versions are the given pipelines (one new one by default), the first its default."""
    row = PipelineEndpoint.objects.create(workspace=place, name=name or f"endpoint{next(_numbers)}")
    for number, published in enumerate(pipelines or [pipeline(place, **graph_parts)]):
        version = EndpointVersion.objects.create(endpoint=row, number=number, pipeline=published)
        if number == 0:
            row.default_version = version
    row.save()
    return row


def run(actor: access.Actor, *, experiment: str | None = "test", **asked) -> Run:
    """A submitted run of an `endpoint` (perhaps of its `version`), a `pipeline` or a `graph`; the rest
    are fields of `RunSettings` and of `Submission`."""
    endpoint, version = asked.pop("endpoint", None), asked.pop("version", None)
    pipeline, graph = asked.pop("pipeline", None), asked.pop("graph", None)
    if endpoint is not None:
        target = EndpointTarget(endpoint, version)
    elif pipeline is not None:
        target = PipelineTarget(pipeline)
    else:
        target = GraphTarget(graph, asked.pop("kind", Kind.PIPELINE))
    names = {field.name for field in fields(RunSettings)} & asked.keys()
    settings = RunSettings(experiment, **{name: asked.pop(name) for name in names})
    return submit(actor, Submission(target, settings, **asked))
