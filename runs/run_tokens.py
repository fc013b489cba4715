"""A step's own token: a JWT that reads its run tree and writes its run, and dies when the run ends."""

import time

from runs.models import Run
from runs.states import TERMINAL
from studio.core import tokens
from studio.core.access import Actor

# The client renews a token by itself when it nears its end (wire 9.3).
SECONDS = 24 * 3600


def make(run: Run) -> tuple[str, int]:
    """`(token, its end in epoch seconds)` for a run whose workspace is loaded."""
    now = int(time.time())
    claims = {
        "iss": "pipeline-studio",
        "sub": str(run.uuid),
        "oid": str(run.uuid),
        "tid": "studio",
        "name": run.submitted_by,
        "iat": now,
        "nbf": now,
        "exp": now + SECONDS,
        "run": str(run.uuid),
        "workspace": str(run.workspace.uuid),
    }
    return tokens.encode(claims), claims["exp"]


def reader(claims: dict) -> Actor | None:
    """The actor of a run token's claims; None once the run is over."""
    if "run" not in claims:
        return None
    run = (
        Run.objects.filter(uuid=claims["run"])
        .select_related("workspace")
        .only("uuid", "status", "submitted_by", "workspace")
        .first()
    )
    if run is None or run.status in TERMINAL:
        return None
    return Actor(
        workspace=run.workspace,
        role=None,
        name=run.submitted_by or str(run.uuid),
        run_uuid=run.uuid,
    )
