"""Gives what services make now a time of the past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from endpoints.models import (
    ComputeTarget,
    Dataset,
    DatasetVersion,
    DataSource,
    EndpointVersion,
    Graph,
    Module,
    PipelineEndpoint,
    PublishedPipeline,
    SavedDataset,
    Snapshot,
)
from runs.models import Asset, GraphDraft, PipelineDraft, RegisteredModel, Schedule
from studio.core.models import AuditEvent, Door, Token, User

CREATED = (
    *(ComputeTarget, Dataset, DatasetVersion, DataSource, Graph, Module, SavedDataset, Snapshot),
    *(Asset, RegisteredModel, Token),
)
REVISED = (GraphDraft, PipelineDraft, PipelineEndpoint, PublishedPipeline, Schedule)


@contextmanager
def dated(at: datetime, *, door: Door = Door.PAGE, address: str | None = None) -> Iterator[None]:
    """What is made or changed inside was so `at`, from this door and address. Nobody else may write."""
    begun = timezone.now()
    yield
    date(begun, at, door=door, address=address)


def date(since: datetime, at: datetime, *, door: Door, address: str | None = None) -> None:
    """What has been made or changed `since` was so `at`."""
    for model in CREATED:
        _set(model, since, created_at=at)
    for revised in REVISED:
        _set(revised, since, created_at=at)
        _set(revised, since, updated_at=at)
    _set(EndpointVersion, since, added_at=at)
    _set(User, since, date_joined=at)
    audited: models.QuerySet[AuditEvent] = models.QuerySet(AuditEvent).filter(at__gte=since)
    minute = at.replace(second=0, microsecond=0)
    audited.filter(minute__isnull=False).update(minute=minute, last_at=at)
    audited.update(at=at, door=door, address=address)


def _set(model: type[models.Model], begun: datetime, **times: Any) -> None:
    (column,) = times
    model._base_manager.filter(**{f"{column}__gte": begun}).update(**times)
