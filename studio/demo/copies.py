"""Makes a long history of a short one: the database copies the rows of runs, so many times faster than they could
be written one by one. For measuring; the copies' files, metrics and audit events are left out."""

from datetime import timedelta
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models import Case, ExpressionWrapper, F, Func, Value, When
from django.utils import timezone

from runs.models import (
    Experiment,
    Kind,
    PipelineRun,
    Run,
    RunAttribute,
    StatusChange,
    StepAttempt,
    StepRun,
)
from runs.submission import Submission
from studio.core.access import Actor
from studio.demo.history import History

AT_ONCE, EVERY = 1000, timedelta(seconds=30)
# Each with its path to the run that it belongs to.
COPIED: tuple[tuple[type[models.Model], str], ...] = (
    (Run, "pk"),
    (PipelineRun, "pk"),
    (StepRun, "pk"),
    (StepAttempt, "step"),
    (StatusChange, "run"),
    (RunAttribute, "run"),
)


class NewUuid(Func):
    function = "gen_random_uuid"
    output_field = models.UUIDField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **extra)


def long_history(actor: Actor, submission: Submission, *, runs: int) -> None:
    """Runs of one submission, one every half minute until now, in an experiment without other runs."""
    first, history = min(runs, AT_ONCE), History()
    begin = timezone.now() - EVERY * runs
    asked = history.ask(actor, submission, at=begin)
    for number in range(first):
        history.add(asked, at=begin + EVERY * number)
    history.write()
    for copy in range(1, runs // first):
        _copy_all(asked.experiment, first, copy)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Run]):
            cursor.execute(statement)
    Experiment.objects.filter(pk=asked.experiment.pk).update(runs_made=runs // first * first)


def _copy_all(experiment: Experiment, runs: int, copy: int) -> None:
    """The first runs of the experiment with their steps once more, each later than its original as its
    keys are higher."""
    own = Run.objects.filter(experiment=experiment)
    begin = own.earliest("pk").pk
    end = own.filter(kind=Kind.PIPELINE, number__lte=runs).latest("pk")
    last = Run.objects.filter(root__gte=begin, root__lte=end.pk).latest("pk").pk
    for model, path in COPIED:
        rows: models.QuerySet[Any] = models.QuerySet(model)
        _copy(
            rows.filter(**{f"{path}__gte": begin, f"{path}__lte": last}),
            keys=(last - begin + 1) * copy,
            runs=runs * copy,
            later=EVERY * runs * copy,
        )


def _copy(rows: models.QuerySet[Any], *, keys: int, runs: int, later: timedelta) -> None:
    model = rows.model
    changed: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        name = field.attname
        if (model is Run and field.primary_key) or _is_of_runs(field):
            changed[name] = ExpressionWrapper(F(name) + keys, models.BigIntegerField())
        elif isinstance(field, models.UUIDField):
            changed[name] = NewUuid()
        elif isinstance(field, models.DateTimeField):
            changed[name] = F(name) + Value(later, models.DurationField())
        elif not field.primary_key:
            changed[name] = F(name)
    if model is Run:
        changed["number"] = Case(
            When(kind=Kind.PIPELINE, then=F("number") + runs),
            default=F("number"),
            output_field=models.IntegerField(),
        )
    selected = rows.order_by("pk").values_list(*changed.values())
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in changed)
    sql, values = selected.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({columns}) {sql}', values)


def _is_of_runs(field: Any) -> bool:
    return field.related_model in (Run, PipelineRun, StepRun)
