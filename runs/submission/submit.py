"""`submit`: the only way to make a run of a graph, for all callers."""

from collections.abc import Mapping
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from endpoints import blueprints
from endpoints.services import check_runnable, hold_runnable
from runs import engine, sealing
from runs.bell import ring
from runs.models import Experiment, Run, RunAttribute
from runs.naming import experiment_of
from runs.submission import rows
from runs.submission.check import examine, find_places
from runs.submission.idempotency import run_in_turn, run_of_key
from runs.submission.rows import Submission
from runs.submission.settings import Remark
from runs.submission.target import Found, NewGraph, require_target, verb_to_run
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import NamedByCaller, Refused


def submit(actor: Actor, submission: Submission) -> Run:
    """Make the run. Once this has committed, the run will end, whatever process dies."""
    target = submission.target
    require_target(actor, target)
    if not isinstance(target, NewGraph):
        found = target.find()
        return run_of_key(actor, submission.key) or _make(actor, submission, found)
    with transaction.atomic():  # a graph whose run is refused is not stored
        earlier = run_in_turn(actor, submission.key)
        return earlier or _make(actor, submission, target.store(actor))


def _make(actor: Actor, submission: Submission, found: Found) -> Run:
    settings = submission.settings
    check_runnable(found.endpoint, found.pipeline, found.version)
    check_remarks(found, settings.remarks)
    name, warnings = experiment_of(settings.experiment, found.endpoint or found.pipeline)
    examined = examine(
        actor,
        found,
        settings,
        strict=submission.strict,
        caller="Schedule" if submission.schedule else "Caller",
    )
    now = timezone.now()
    try:
        with write_transaction():
            _check_goes_on(submission.parent)
            place = _experiment(actor, name)
            run = rows.run(actor, submission, found, examined, experiment=place, now=now)
            run.save(force_insert=True)
            run.root = _root(run)
            Run.objects.filter(pk=run.pk).update(root=run.root)
            run.pipeline_run = rows.pipeline_run(run, submission, found, examined, warnings)
            run.pipeline_run.save(force_insert=True)
            ready = {}
            if not submission.held:
                ready = engine.plan(
                    run,
                    examined.blueprint,
                    examined.places.sources,
                    examined.places.destinations,
                    tags=settings.step_tags or {},
                )
            RunAttribute.objects.bulk_create(rows.attributes(run, examined))
            hold_runnable(found.endpoint, found.pipeline, found.version)
            rows.audit_event(actor, run, found).save(force_insert=True)
    except IntegrityError:
        # Two requests with the same key at once: the other one made the run.
        earlier = run_of_key(actor, submission.key)
        if earlier is None:
            raise
        return earlier
    # After the commit, so that other writers do not wait while the bell is rung.
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def check_remarks(found: Found, remarks: Mapping[str, Remark]) -> None:
    if found.is_strict and remarks:
        raise NamedByCaller({key: [remark.refusal] for key, remark in remarks.items()})


def _root(run: Run) -> Run:
    parent = run.parent
    return parent.root if parent is not None and parent.root is not None else run


def start(actor: Actor, run: Run, *, parent: Run | None = None) -> Run:
    """Submit a run that was held. Starting it twice changes nothing."""
    require(actor, verb_to_run(run.pipeline), run)
    extra = run.pipeline_run
    check_runnable(run.endpoint, run.pipeline, None)
    blueprint = blueprints.load(extra.graph.uuid)
    values = sealing.opened(extra.parameters)
    places = find_places(actor, blueprint, values, extra.datasets, extra.datapaths)
    ready: dict[str, int] = {}
    with write_transaction():
        if engine.take_unsubmitted(run.pk):
            if parent is not None:
                _check_goes_on(parent)
                run.parent, run.root = parent, parent.root or parent
                Run.objects.filter(pk=run.pk).update(parent=run.parent, root=run.root)
            ready = engine.plan(run, blueprint, places.sources, places.destinations)
            hold_runnable(run.endpoint, run.pipeline)
            audit.record(actor, "start", run)
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def _check_goes_on(parent: Run | None) -> None:
    """A canceled script may still be running: refuse runs below it, which nobody would cancel."""
    if parent and (ended := Run.objects.canceled_at(parent.pk)):
        text = _("Run %(run)s was canceled: nothing more can be submitted below it.")
        raise Refused(text % {"run": ended})


def _experiment(actor: Actor, name: str) -> Experiment:
    """The experiment, with its next run number. A run brings it back from the archive."""
    found = Experiment.objects.filter(workspace=actor.workspace, name=name)
    if not found.update(runs_made=F("runs_made") + 1, archived_at=None):
        Experiment.objects.get_or_create(workspace=actor.workspace, name=name)
        found.update(runs_made=F("runs_made") + 1, archived_at=None)
    return found.get()
