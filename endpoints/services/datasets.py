"""Datasets: saved definitions, and names whose versions point to them (wire.md 10.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from endpoints.data.dataflow import read_dataflow
from endpoints.models import Dataset, DatasetVersion, DataSource, Datastore, SavedDataset
from endpoints.services import checks
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import Conflict

TYPES = ("tabular", "file")
UNREGISTERED = "unregistered-"  # prefix for datasets without a name, as in the SDK


@transaction.atomic
def save_dataset(
    actor: Actor, *, dataset_type: str, dataflow: str, properties: Mapping[str, Any] | None = None
) -> SavedDataset:
    """Store a definition without a name; pipelines reference it by its id."""
    require(actor, "register")
    if str(dataset_type).lower() not in TYPES:
        raise ValidationError({"dataset_type": ["Expected tabular or file."]})
    read_dataflow(checks.text("dataflow", dataflow, required=True))
    saved = SavedDataset.objects.create(
        workspace=actor.workspace,
        dataset_type=str(dataset_type).lower(),
        dataflow=dataflow,
        properties=checks.document("properties", properties or {}),
        created_by=actor.name,
    )
    audit.record(actor, "save", saved)
    return saved


def _addressable(name: str) -> bool:
    """Refuse names that clients or routes would take for something else. Slashes are allowed."""
    parts = name.split("/")
    for_queries = len(parts) > 1 and parts[0].lower() == "query"
    return parts[-1] != "" and not {".", ".."} & set(parts) and not for_queries


@transaction.atomic
def register_dataset(
    actor: Actor,
    *,
    name: str,
    dataset_type: str,
    dataflow: str,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    create_new_version: bool = False,
) -> DatasetVersion:
    """Register a definition under a name. An existing name gets another version only if asked
    for."""
    require(actor, "register")
    name = checks.text("name", name, longest=255, required=True)
    description = checks.text("description", description or "")
    tags = checks.document("tags", tags or {})
    if name.startswith(UNREGISTERED):
        raise ValidationError(
            {
                "name": [
                    f"Names that begin with {UNREGISTERED} are those of data that is not registered."
                ]
            }
        )
    if not _addressable(name):
        text = f"No address would lead to a dataset named {name!r:.100}: choose a plainer name."
        raise ValidationError({"name": [text]})
    named = Dataset.objects.filter(workspace=actor.workspace, name=name)
    if named.exists() and not create_new_version:
        raise Conflict(f"Dataset {name} exists already; ask for a new version of it.")
    saved = save_dataset(actor, dataset_type=dataset_type, dataflow=dataflow, properties=properties)
    try:
        with write_transaction():
            # Locked, so that nobody unregisters the name before it has the version.
            dataset = named.select_for_update().first() if create_new_version else None
            dataset = dataset or Dataset.objects.create(workspace=actor.workspace, name=name)
            # A new version takes over the description of the previous one unless it has its own.
            dataset.description = description or dataset.description
            dataset.tags = tags or dataset.tags
            dataset.save(update_fields=["description", "tags"])
            highest = dataset.versions.aggregate(Max("number"))["number__max"] or 0
            version = DatasetVersion.objects.create(
                dataset=dataset,
                number=highest + 1,
                saved=saved,
                description=dataset.description,
                tags=dataset.tags,
                created_by=actor.name,
                attempt=f"{actor.run_uuid}.{actor.run_attempt}" if actor.run_uuid else "",
            )
    except IntegrityError as error:
        raise Conflict(f"Dataset {name} was registered by somebody else just now.") from error
    audit.record(actor, "register", dataset, after={"version": version.number})
    return version


def withdraw_datasets(workspace_id: int, attempts: Sequence[str]) -> None:
    """Remove what lost attempts of a step registered (`<run uuid>.<number>`); the next attempt
    registers it again."""
    named = Dataset.objects.filter(workspace_id=workspace_id, versions__attempt__in=attempts)
    for dataset in named.distinct():
        dataset.versions.filter(attempt__in=attempts).delete()
        newest = dataset.versions.order_by("-number").first()
        if newest is None:
            dataset.delete()
        else:
            dataset.description, dataset.tags = newest.description, newest.tags
            dataset.save(update_fields=["description", "tags"])


def update_dataset(
    actor: Actor,
    version: DatasetVersion,
    *,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> DatasetVersion:
    """Change the description and tags of a registered version; None leaves them. Its data never
    change."""
    require(actor, "edit", version.dataset)
    after: dict[str, Any] = {}
    if description is not None:
        after["description"] = checks.text("description", description)
    if tags is not None:
        after["tags"] = checks.document("tags", tags)
    with write_transaction():
        # Only these columns are written: another call may be changing the others right now.
        version.refresh_from_db(fields=["description", "tags"])
        before = {key: getattr(version, key) for key in after}
        DatasetVersion.objects.filter(pk=version.pk).update(**after)
        if not version.dataset.versions.filter(number__gt=version.number).exists():
            # Lists show the description of the newest version.
            Dataset.objects.filter(pk=version.dataset_id).update(**after)
        audit.record(actor, "update", version.dataset, before=before, after=after)
    version.refresh_from_db(fields=["description", "tags"])
    return version


def unregister_dataset(actor: Actor, dataset: Dataset) -> None:
    """Remove a name from the workspace. The row stays, hidden under another name, because published
    pipelines reference it by id. If the name is registered again, it begins with version 1 and a
    new id."""
    require(actor, "edit", dataset)
    with write_transaction():
        row = Dataset.objects.select_for_update().filter(pk=dataset.pk, is_visible=True).first()
        if row is None:
            return  # somebody else has just unregistered it
        audit.record(actor, "unregister", row, before={"name": row.name})
        row.name, row.is_visible = f"{UNREGISTERED}{row.uuid}", False
        row.save(update_fields=["name", "is_visible"])


@transaction.atomic
def create_data_source(
    actor: Actor,
    *,
    name: str,
    datastore: Datastore | None,
    relative_path: str = "",
    identifier_hash: str = "",
    wire: Mapping[str, Any] | None = None,
) -> DataSource:
    """A plain reference into a datastore. An equal one (by its hash) is reused."""
    require(actor, "publish", datastore)
    identifier_hash = checks.text("identifier_hash", identifier_hash, longest=200)
    known = DataSource.objects.filter(workspace=actor.workspace, identifier_hash=identifier_hash)
    found = known.order_by("-pk").first() if identifier_hash else None
    return found or DataSource.objects.create(
        workspace=actor.workspace,
        name=checks.text("name", name, longest=255),
        identifier_hash=identifier_hash,
        datastore=datastore,
        relative_path=checks.text("relative_path", relative_path, longest=1000),
        wire=checks.document("wire", wire or {}),
    )
