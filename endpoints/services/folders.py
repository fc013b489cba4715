"""Publish a folder or zip that holds a v1 pipeline file and its scripts, without the SDK."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import transaction

from endpoints import data, snapshots
from endpoints.authoring import archives, yaml_format
from endpoints.blueprints import Blueprint
from endpoints.graph import GraphError, ModuleInfo, write_data_source, write_module, write_runconfig
from endpoints.models import DataSource, Datastore, Module, PublishedPipeline, Snapshot
from endpoints.parameters import saved_dataset
from endpoints.services import datasets, modules, pipelines
from studio.core.access import Actor, require
from studio.core.errors import BadValue


def publish_archive(actor: Actor, archive: IO[bytes], **options: Any) -> PublishedPipeline:
    """`publish_folder` for an uploaded zip; the pipeline may be in its only top-level folder."""
    require(actor, "publish")
    with tempfile.TemporaryDirectory(prefix="studio-upload-") as folder:
        target = Path(folder) / "source"
        archives.extract(archive, target)
        inside = list(target.iterdir())
        only_folder = len(inside) == 1 and inside[0].is_dir()
        return publish_folder(actor, inside[0] if only_folder else target, **options)


def publish_folder(
    actor: Actor,
    path: Path,
    *,
    name: str = "",
    description: str | None = None,
    version: str | None = None,
    endpoint: str | None = None,
    set_default: bool = False,
    uuid: UUID | None = None,
    endpoint_uuid: UUID | None = None,
) -> PublishedPipeline:
    """Publish the pipeline file in `path`. Arguments override what the file says."""
    require(actor, "publish")
    pipeline = yaml_format.read(path)
    # Before the transaction: while it is open, SQLite's write lock keeps everybody else waiting.
    trees = {
        folder: snapshots.store_files(folder)
        for folder in {step.source_directory for step in pipeline.steps.values()}
    }
    with transaction.atomic():
        kept = {folder: snapshots.create(actor.workspace, tree) for folder, tree in trees.items()}
        try:
            return pipelines.publish(
                actor,
                name=name or pipeline.name,
                description=pipeline.description if description is None else description,
                version=pipeline.version if version is None else version,
                graph=_blueprint(actor, pipeline, kept),
                dataset_defaults=_pinned(actor, pipeline),
                continue_on_step_failure=pipeline.continue_on_step_failure,
                endpoint=endpoint,
                set_default=set_default,
                uuid=uuid,
                endpoint_uuid=endpoint_uuid,
            )
        except GraphError as error:
            raise yaml_format.YamlError(f"{pipeline.file.name}: steps: {error.reason}") from error


def _blueprint(
    actor: Actor, pipeline: yaml_format.Pipeline, kept: Mapping[Path, Snapshot]
) -> Blueprint:
    steps = pipeline.steps.values()
    modules = {
        step.key: _module(actor, step.node.module, kept[step.source_directory]) for step in steps
    }
    graph = yaml_format.graph(
        pipeline,
        module_ids={key: str(module.uuid) for key, module in modules.items()},
        source_ids=_sources(actor, pipeline),
    )
    by_node = {step.node.id: modules[step.key] for step in steps}
    return Blueprint.of(graph, by_node, pipeline.parameters)


def definition_hash(module: ModuleInfo) -> str:
    """The first half of a module's fingerprint; the second half is its folder's content."""
    parts = [
        module.name,
        module.step_type,
        module.is_deterministic,
        write_module(module),
        write_runconfig(module.runconfig),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _module(actor: Actor, module: ModuleInfo, snapshot: Snapshot) -> Module:
    """The same code and definition find the existing module, as with the SDK, so that earlier
    results can be reused."""
    fingerprint = f"{definition_hash(module)}_{snapshot.content_hash}"
    known = Module.objects.filter(workspace=actor.workspace, identifier_hash=fingerprint)
    return known.order_by("-pk").first() or modules.store_module(
        actor, module, identifier_hash=fingerprint, storage_id=str(snapshot.uuid)
    )


def _sources(actor: Actor, pipeline: yaml_format.Pipeline) -> dict[str, str]:
    """A DataSource for each plain data reference. Datasets that are referenced must exist."""
    ids = {}
    for reference in pipeline.references.values():
        if reference.dataset:
            data.find_saved(actor.workspace, reference.dataset)
        else:
            ids[reference.name] = str(_source(actor, reference).uuid)
    return ids


def _source(actor: Actor, reference: yaml_format.Reference) -> DataSource:
    store = Datastore.objects.filter(workspace=actor.workspace, name=reference.datastore).first()
    if store is None:
        raise BadValue(
            f"data_references.{reference.name}: datastore {reference.datastore} not found in workspace."
        )
    location = data.resolve(store, reference.path)
    return datasets.create_data_source(
        actor,
        name=reference.name,
        datastore=store,
        relative_path=location.path,
        identifier_hash=hashlib.sha256(
            f"{reference.name}:{store.name}:{location.path}".encode()
        ).hexdigest(),
        wire=write_data_source(reference.name, store.name, location.path),
    )


def _pinned(actor: Actor, pipeline: yaml_format.Pipeline) -> dict[str, dict[str, Any]]:
    """Defaults of dataset parameters as saved datasets, so that a later version does not change
    them."""
    return {
        parameter.name: saved_dataset(str(data.find_saved(actor.workspace, parameter.default).uuid))
        for parameter in pipeline.parameters.values()
        if parameter.kind == "dataset" and isinstance(parameter.default, Mapping)
    }
