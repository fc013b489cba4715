"""Pipeline drafts: pipelines that can be changed, run and published repeatedly (wire.md 8.7).

A draft stores the values that differ from its graph's defaults, so that another graph brings its
own defaults.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import transaction

from endpoints.graph import with_defaults
from endpoints.models import Graph, PublishedPipeline
from endpoints.services import checks, publish
from endpoints.services.pipelines import create_graph, wire_defaults
from runs import sealing
from runs.drafts.graphs import create_graph_draft, parameters_of
from runs.models import GraphDraft, Kind, PipelineDraft, Run, Source
from runs.submission import Key, NewGraph, RunSettings, Submission, submit
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import BadValue, Refused
from studio.core.revisable import lock, write


@transaction.atomic
def create_draft(
    actor: Actor,
    *,
    name: str,
    graph: GraphDraft,
    settings: RunSettings,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    **parents: Any,
) -> PipelineDraft:
    """Create a draft of a graph that no other draft uses. `parents` are the columns that say where
    it came from."""
    require(actor, "edit", graph)
    if PipelineDraft.objects.filter(graph=graph).exists():
        raise BadValue("This graph belongs to another draft: post one of its own.", field="graph")
    draft = PipelineDraft(
        workspace=actor.workspace,
        graph=graph,
        created_by=actor.name,
        updated_by=actor.name,
        **_checked(name=name, description=description, tags=tags, properties=properties),
        **parents,
    )
    draft.settings = _kept(draft, settings)
    draft.save()
    audit.record(actor, "create", draft)
    return draft


@transaction.atomic
def update_draft(
    actor: Actor,
    draft: PipelineDraft,
    *,
    settings: RunSettings,
    etag: str | None = None,
    **texts: Any,
) -> PipelineDraft:
    require(actor, "edit", draft)
    current = lock(draft, etag)
    write(actor, current, **_checked(**texts), settings=_kept(current, settings))
    GraphDraft.objects.filter(draft=current).update(earlier_defaults={})
    audit.record(actor, "edit", current)
    return current


def _checked(*, name: str, description: str, tags: Any, properties: Any) -> dict[str, Any]:
    return {
        "name": checks.text("name", name, longest=255, required=True),
        "description": checks.text("description", description),
        "tags": checks.document("tags", tags or {}),
        "properties": checks.document("properties", properties or {}),
    }


def _kept(draft: PipelineDraft, settings: RunSettings) -> dict[str, Any]:
    """The settings as they are stored; what could not be submitted is refused now."""
    settings = settings.to_store(RunSettings.from_json(draft.settings))
    settings = replace(settings, assignments=_differing(draft, settings))
    return settings.sealed(_secrets(draft)).as_json()


def _secrets(draft: PipelineDraft) -> set[str]:
    return {name for name, row in _parameters(draft).items() if row.secret}


def _parameters(draft: PipelineDraft) -> dict[str, Any]:
    return parameters_of(draft.graph) if draft.graph is not None else {}


def _differing(draft: PipelineDraft, settings: RunSettings) -> dict[str, Any]:
    """The assignments that differ from the graph's defaults.

    A client that changes only the graph sends back the values it has read: defaults of the earlier
    graph, which must not become the author's choices. A client that has values of its own sends
    empty data paths with them, which `shown` never does.
    """
    posted = dict(settings.assignments or {})
    own = dict(RunSettings.from_json(draft.settings).assignments or {})
    earlier = draft.graph.earlier_defaults if draft.graph else {}
    if earlier and posted == {**earlier, **own} and settings.datapaths != {}:
        return own
    defaults = wire_defaults(_parameters(draft))
    return {name: value for name, value in posted.items() if value != defaults.get(name)}


def shown(draft: PipelineDraft) -> RunSettings:
    """The settings for callers, with a value for every parameter (wire.md 5.2)."""
    settings = RunSettings.from_json(draft.settings).masked()
    return replace(
        settings,
        assignments={**wire_defaults(_parameters(draft)), **(settings.assignments or {})},
        datapaths=settings.datapaths or None,
    )


def clone_draft(actor: Actor, draft: PipelineDraft) -> PipelineDraft:
    graph = _graph_of(draft)
    return _clone(
        actor,
        name=draft.name,
        description=draft.description,
        tags=draft.tags,
        properties=draft.properties,
        graph=graph,
        settings=RunSettings.from_json(draft.settings).opened(),
        parent_draft_uuid=draft.uuid,
    )


def clone_pipeline(actor: Actor, pipeline: PublishedPipeline) -> PipelineDraft:
    """A draft of a published pipeline, whose name becomes its experiment's."""
    return _clone(
        actor,
        name=pipeline.name,
        description=pipeline.description,
        properties=pipeline.properties,
        graph=pipeline.graph,
        settings=RunSettings(
            # The SDK opens the runs of drafts by the name of their experiment.
            experiment=re.sub(r"[^\w-]+", "-", pipeline.name).strip("-_") or "draft",
            description=pipeline.description,
            datasets=pipeline.graph.dataset_defaults,
            continue_on_step_failure=pipeline.continue_on_step_failure,
        ),
        parent_pipeline_uuid=pipeline.uuid,
    )


def clone_run(actor: Actor, run: Run) -> PipelineDraft:
    """A draft of a run's graph and values, without secret ones."""
    settings = RunSettings.of(run)
    plain = {
        name: value
        for name, value in (settings.assignments or {}).items()
        if not sealing.is_sealed(value)
    }
    steps = Run.objects.filter(parent=run, kind=Kind.STEP).order_by("number")
    return _clone(
        actor,
        name=run.display_name or run.name,
        description=run.description,
        tags=run.tags,
        graph=run.pipeline_run.graph,
        settings=replace(settings, assignments=plain, tags=None, timeout_seconds=None),
        parent_run_uuid=run.uuid,
        parent_step_uuids=[str(uuid) for uuid in steps.values_list("uuid", flat=True)],
    )


@transaction.atomic
def _clone(actor: Actor, *, graph: Graph | GraphDraft, **parts: Any) -> PipelineDraft:
    copy = create_graph_draft(actor, wire=graph.wire, interface=graph.interface)
    return create_draft(actor, graph=copy, **parts)


@transaction.atomic
def submit_draft(
    actor: Actor, draft: PipelineDraft, *, parent: Run | None = None, key: Key | None = None
) -> Run:
    settings = RunSettings.from_json(draft.settings).opened()
    submission = Submission(
        NewGraph(partial(_store_graph, draft=draft, settings=settings)),
        settings,
        source=Source.SDK,  # only the SDK knows drafts
        parent=parent,
        key=key,
    )
    run = submit(actor, submission)
    PipelineDraft.objects.filter(pk=draft.pk).update(last_run_uuid=run.uuid)
    return run


def _store_graph(actor: Actor, *, draft: PipelineDraft, settings: RunSettings) -> Graph:
    """The draft's graph as it is now, for a run of it."""
    graph = _graph_of(draft)
    return create_graph(
        actor, wire=graph.wire, interface=graph.interface, dataset_defaults=settings.datasets
    )


@transaction.atomic
def publish_draft(actor: Actor, draft: PipelineDraft) -> PublishedPipeline:
    """Publish the present graph; the draft's values become the pipeline's defaults."""
    require(actor, "publish", draft)
    settings = RunSettings.from_json(draft.settings).opened()
    return publish(
        actor,
        name=draft.name,
        description=draft.description,
        graph=_graph_of(draft).wire,
        interface=_with_values(draft, settings.datapaths or {}),
        dataset_defaults=settings.datasets,
        continue_on_step_failure=bool(settings.continue_on_step_failure),
        properties=draft.properties,
    )


def _with_values(draft: PipelineDraft, datapaths: Mapping[str, Any]) -> dict[str, Any]:
    """The graph's interface with the draft's values as defaults. Secret ones are left out, because
    whoever can read the pipeline can read its interface."""
    secrets = _secrets(draft)
    shown = {name: value for name, value in _open_values(draft).items() if name not in secrets}
    return with_defaults(_graph_of(draft).interface, shown, datapaths)


def _open_values(draft: PipelineDraft) -> dict[str, Any]:
    return dict(RunSettings.from_json(draft.settings).opened().assignments or {})


def _graph_of(draft: PipelineDraft) -> GraphDraft:
    if draft.graph is None:
        raise Refused(f"The graph of the draft {draft} was deleted: the draft can only be deleted.")
    return draft.graph


@transaction.atomic
def delete_draft(actor: Actor, draft: PipelineDraft) -> None:
    require(actor, "edit", draft)
    audit.record(actor, "delete", draft)
    draft.delete()
    if draft.graph is not None:
        draft.graph.delete()
