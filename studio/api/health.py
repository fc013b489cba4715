"""Health (`/healthz`) and numbers (`/metrics`). Both read rows and do not ask the workers, so that
an answer never waits for one."""

import logging
import shutil
from functools import lru_cache
from urllib.parse import unquote

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max
from django.http import HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from runs.models import Kind, Run, Worker
from studio.api.arm import OpenView
from studio.core.rest.views import WireView

logger = logging.getLogger(__name__)
PING_SECONDS = 0.2
LOWEST_FREE_BYTES = 16 * 1024 * 1024  # with less, the database will fail soon


class Health(OpenView):
    def get(self, request):
        parts = {"database": database(), "redis": redis_server(), **processes(), **disk()}
        well = all(value == "ok" for value in parts.values())
        status = "ok" if well else "unavailable"
        return Response({"status": status, **parts}, status=200 if well else 503)


def database() -> str:
    try:
        Worker.objects.exists()
    except DatabaseError as error:
        logger.error("health: the database does not answer: %s", error)
        return "does not answer"
    return "ok"


def redis_server() -> str:
    try:
        _client(settings.STUDIO_REDIS_URL).ping()
    except (redis.RedisError, OSError) as error:
        logger.error("health: Redis does not answer: %s", error)
        return "does not answer"
    return "ok"


@lru_cache(maxsize=1)
def _client(url: str) -> redis.Redis:
    if url.startswith("redis+socket://"):  # kombu's spelling of a Unix socket
        url = f"unix://{unquote(url.removeprefix('redis+socket://'))}"
    return redis.Redis.from_url(
        url,
        socket_timeout=PING_SECONDS,
        socket_connect_timeout=PING_SECONDS,
        retry=None,
    )


def processes() -> dict[str, str]:
    try:
        roles = set(Worker.objects.living().values_list("role", flat=True))
    except DatabaseError:
        roles = set()
    return {role: "ok" if role in roles else "not running" for role in ("control", "worker")}


def disk() -> dict[str, str]:
    """Reported only if it is full."""
    try:
        free = shutil.disk_usage(settings.STUDIO_DATA).free
    except OSError as error:
        logger.error("health: the data folder cannot be read: %s", error)
        return {}
    return {"disk": "full"} if free < LOWEST_FREE_BYTES else {}


class MayReadMetrics(BasePermission):
    def has_permission(self, request, view) -> bool:
        return settings.STUDIO_METRICS_OPEN or request.auth is not None


class Metrics(WireView):
    """Prometheus text. Everything comes from indexes: the cost does not grow with the history."""

    permission_classes = (MayReadMetrics,)

    def get(self, request):
        return HttpResponse(
            "".join(metric_lines()), content_type="text/plain; version=0.0.4; charset=utf-8"
        )


def metric_lines():
    live = Run.objects.live().order_by().values("kind", "status").annotate(number=Count("pk"))
    waiting = (
        Run.objects.live()
        .filter(kind=Kind.STEP)
        .order_by()
        .values("target", "status")
        .annotate(number=Count("pk"))
    )
    yield from metric(
        "studio_runs_live",
        "gauge",
        "Runs that have not ended.",
        [({"kind": row["kind"], "status": row["status"]}, row["number"]) for row in live],
    )
    yield from metric(
        "studio_steps_live",
        "gauge",
        "Steps that have not ended, by compute target.",
        [({"target": row["target"], "status": row["status"]}, row["number"]) for row in waiting],
    )
    newest = Run.objects.aggregate(newest=Max("pk"))["newest"] or 0
    yield from metric(
        "studio_runs_created_total", "counter", "Runs of all kinds ever made.", [({}, newest)]
    )
    yield from metric(
        "studio_worker_slots",
        "gauge",
        "Steps that each living process can run at once.",
        [
            ({"worker": row.name, "role": row.role, "host": row.host}, row.slots)
            for row in Worker.objects.living().order_by("name")
        ],
    )
    yield from metric(
        "studio_redis_up", "gauge", "Whether Redis answers.", [({}, int(redis_server() == "ok"))]
    )


def metric(name: str, kind: str, help_text: str, samples):
    yield f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        text = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
        yield f"{name}{{{text}}} {value}\n" if text else f"{name} {value}\n"


def escaped(label: str) -> str:
    return str(label).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
