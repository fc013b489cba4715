"""A step's own token: a JWT that reads its run's tree and writes its run, for the life of one
attempt."""

import time
from typing import Any

from runs import script_runs
from runs.models import Kind, Run, StepAttempt
from studio.core import tokens
from studio.core.access import Actor

# The client renews a token by itself before it expires (wire.md 9.3).
SECONDS = 24 * 3600


def make(run: Run, *, attempt: int | None = None) -> tuple[str, int]:
    """`(token, expiry in epoch seconds)` for an attempt of a run (by default the present one); the
    run's workspace must be loaded."""
    attempt = _step_of(run).attempt if attempt is None else attempt
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "pipeline-studio",
        "sub": str(run.uuid),
        "oid": str(run.uuid),
        "tid": "studio",
        "name": run.submitted_by,
        "iat": now,
        "nbf": now,
        "exp": now + SECONDS,
        "run": f"{run.uuid}.{attempt}",
        "workspace": str(run.workspace.uuid),
    }
    return tokens.encode(claims), claims["exp"]


def _step_of(run: Run) -> Run:
    """The step that workers claim."""
    return (
        run if run.kind == Kind.STEP else script_runs.steps_of(run).only("attempt").first() or run
    )


def _goes_on(run: Run, attempt: int) -> bool:
    step = _step_of(run)
    ended = StepAttempt.objects.filter(step=step.pk, number=attempt, finished_at__isnull=False)
    return step.attempt == attempt and not ended.exists()


def reader(claims: dict[str, Any]) -> Actor | None:
    """The actor of a run token's claims; None once its attempt has ended."""
    uuid, _, attempt = str(claims.get("run", "")).partition(".")
    if not attempt.isdecimal():
        return None
    run = (
        Run.objects.live()
        .filter(uuid=uuid)
        .select_related("workspace")
        .only("uuid", "kind", "attempt", "submitted_by", "workspace")
        .first()
    )
    if run is None or not _goes_on(run, int(attempt)):
        return None
    return Actor(
        workspace=run.workspace,
        role=None,
        name=run.submitted_by or str(run.uuid),
        run_uuid=run.uuid,
        run_attempt=int(attempt),
    )
