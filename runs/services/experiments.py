"""Experiments: create, tag, archive, delete. Whoever names one first creates it."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.models import Experiment, Run
from runs.naming import experiment_name
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import Refused


def make_experiment(actor: Actor, name: str) -> Experiment:
    """The experiment of that name, created if needed. An archived one is restored, because it is
    about to be used."""
    require(actor, "submit")
    experiment, _made = Experiment.objects.get_or_create(
        workspace=actor.workspace, name=experiment_name(name)
    )
    if experiment.archived_at is not None:
        Experiment.objects.filter(pk=experiment.pk).update(archived_at=None)
        experiment.archived_at = None
    return experiment


def edit_experiment(
    actor: Actor,
    experiment: Experiment,
    *,
    tags: Mapping[str, str] | None = None,
    remove_tags: Sequence[str] = (),
    description: str | None = None,
    archive: bool | None = None,
) -> Experiment:
    """Merge tags, describe, `archive` or restore. Whoever may submit may tag; what changes other
    people's lists needs Publisher."""
    require(actor, "submit", experiment)
    if archive is not None or description is not None:
        require(actor, "edit", experiment)
    with write_transaction():
        # Locked, because tags are read, merged and written back.
        row = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if tags or remove_tags:
            merged = {**row.tags, **(tags or {})}
            row.tags = {key: value for key, value in merged.items() if key not in remove_tags}
        if description is not None:
            row.description = description
        was_archived = row.archived_at is not None
        if archive is not None and archive != was_archived:
            row.archived_at = timezone.now() if archive else None
            audit.record(actor, "archive" if archive else "reactivate", row)
        row.save(update_fields=["tags", "description", "archived_at"])
    return row


def delete_experiment(actor: Actor, experiment: Experiment) -> None:
    """Delete an experiment without runs; runs are never deleted with a name."""
    require(actor, "edit", experiment)
    with transaction.atomic():
        # Making a run locks this row too: it is either counted here or finds no experiment.
        row = Experiment.objects.select_for_update().filter(pk=experiment.pk).first()
        if row is None:
            return
        if Run.objects.filter(experiment=row).exists():
            raise Refused(
                _(
                    "Experiment %(name)s has runs. Only an experiment without runs can be deleted;"
                    " archive it to hide it."
                )
                % {"name": row.name}
            )
        audit.record(actor, "delete", row)
        row.delete()
