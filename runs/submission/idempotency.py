"""Idempotency keys: the same key of the same caller for the same target stands for one run."""

import hashlib
import json
from dataclasses import dataclass

from runs.models import Run
from studio.core.access import Actor
from studio.core.errors import Refused
from studio.core.models import Workspace


class KeyReused(Refused):
    """The key stands for a run already, which another request has made."""

    status = 422
    code = "IdempotencyKeyReused"


@dataclass(frozen=True)
class Key:
    """`text` as the caller gave it; the keys of one `kind` or `target` never meet those of another.
    Of requests with a `digest`, only the same one again gets the run.
    """

    kind: str
    target: str
    text: str
    digest: str = ""

    def kept(self, actor: Actor) -> str:
        """What stands with the run, unique in its workspace."""
        parts = json.dumps([_caller(actor), self.target, self.text])
        return f"{self.kind}:{hashlib.sha256(parts.encode()).hexdigest()}"


def _caller(actor: Actor) -> str:
    if actor.token is not None:
        return f"token {actor.token.uuid}"
    if actor.user is not None:
        return f"user {actor.user.uuid}"
    return f"public {actor.endpoint_uuid}"


def run_of_key(actor: Actor, key: Key | None) -> Run | None:
    """The run that stands for the key, as it is now; KeyReused if another request made it.

    Whoever asks has been found to be allowed to make the run.
    """
    if key is None:
        return None
    rows = Run.objects.filter(workspace=actor.workspace, idempotency_key=key.kept(actor))
    run = rows.select_related("pipeline_run", "experiment").first()
    if run is None:
        return None
    if run.idempotency_digest != key.digest:
        raise KeyReused(
            f"The Idempotency-Key {key.text!r} was sent before with another request, which made run"
            f" {run.uuid}: send another key with this one."
        )
    run.is_replayed = True
    return run


def run_in_turn(actor: Actor, key: Key | None) -> Run | None:
    """As `run_of_key`, for callers that write more than the run, such as its graph. With a key it locks
    the workspace until this transaction ends: of two requests with the same key at the same time, the
    second waits here and finds the run of the first."""
    if key is not None:
        Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    return run_of_key(actor, key)
