"""Publish the graph of a run."""

from typing import Any

from django.utils.translation import gettext as _

from endpoints.models import PublishedPipeline
from endpoints.services import publish
from runs.models import Run
from runs.states import Status
from studio.core.access import Actor, require
from studio.core.errors import Refused


def check_publishable(actor: Actor, run: Run) -> None:
    require(actor, "publish", run)
    if run.status != Status.COMPLETED:
        raise Refused(_("Only a run that completed can be published."))


def publish_run(actor: Actor, run: Run, **options: Any) -> PublishedPipeline:
    """Publish the run's graph; the options are those of `publish`."""
    check_publishable(actor, run)
    return publish(actor, graph=run.pipeline_run.graph, source_run_uuid=run.uuid, **options)
