import errno
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from runs.models import Worker
from studio.api import health
from studio.core.rest import views
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def processes():
    for role in ("worker", "control"):
        Worker.objects.create(name=role, role=role, host="h", pid=1, slots=2)


@pytest.fixture
def no_redis(settings):
    settings.STUDIO_REDIS_URL = "redis://127.0.0.1:1/0"
    health._client.cache_clear()
    yield
    health._client.cache_clear()


def test_what_is_missing_is_named(anonymous, no_redis):
    reply = anonymous.get("/healthz")
    assert reply.status == 503
    assert reply.body == {
        "status": "unavailable",
        "database": "ok",
        "redis": "does not answer",
        "control": "not running",
        "worker": "not running",
    }


def test_processes_live_by_their_heartbeat(anonymous, no_redis, processes):
    reply = anonymous.get("/healthz").body
    assert (reply["control"], reply["worker"]) == ("ok", "ok")
    Worker.objects.filter(role="worker").update(heartbeat_at=timezone.now() - timedelta(seconds=60))
    assert anonymous.get("/healthz").body["worker"] == "not running"


@pytest.mark.usefixtures("processes", "no_redis")
def test_metrics_need_a_token_unless_open(api, anonymous, actor, settings):
    factories.run(actor, experiment="e", pipeline=factories.pipeline(actor.workspace))
    assert anonymous.get("/metrics").status == 401
    text = api.get("/metrics").body
    assert 'studio_runs_live{kind="Pipeline"' in text
    assert "studio_redis_up 0" in text
    settings.STUDIO_METRICS_OPEN = True
    assert anonymous.get("/metrics").status == 200


def test_a_full_disk_is_named(anonymous, no_redis, processes, settings, tmp_path, monkeypatch):
    settings.STUDIO_DATA = tmp_path
    assert "disk" not in anonymous.get("/healthz").body
    monkeypatch.setattr(health, "LOWEST_FREE_BYTES", 2**62)
    reply = anonymous.get("/healthz")
    assert reply.status == 503
    assert reply.body["disk"] == "full"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("database or disk is full"), "The disk is full"),
        (OperationalError("could not extend file: No space left on device"), "The disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (OperationalError("database is locked"), "did not answer in time"),
    ],
)
def test_what_only_time_or_space_can_mend_says_when_to_try_again(error, words):
    status, headers, body = views.explain(error)
    assert status == 503
    assert headers["Retry-After"]
    assert words in body["message"]
    assert views.explain(OSError(errno.EIO, "broken")) is None
