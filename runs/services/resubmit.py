"""Run an earlier run again."""

from dataclasses import replace

from django.utils.translation import gettext as _

from runs.models import Kind, Run, Source
from runs.submission import Key, RunSettings, Submission, submit
from runs.submission.target import target_of
from studio.core.access import Actor
from studio.core.errors import Refused


def resubmit(
    actor: Actor,
    run: Run,
    settings: RunSettings | None = None,
    *,
    strict: bool = False,
    key: Key | None = None,
) -> Run:
    """Run the same again with other `settings`, else with the same."""
    if run.kind == Kind.STEP or not run.is_ours:
        raise Refused(
            _("Only a run of a pipeline or of a submitted script can be submitted again.")
        )
    same = RunSettings.of(run).opened()
    settings = same if settings is None else replace(settings, properties=same.properties)
    submission = Submission(
        target_of(run),
        settings,
        source=Source.RESUBMIT,
        strict=strict,
        key=key,
        original=run.pipeline_run,
    )
    return submit(actor, submission)
