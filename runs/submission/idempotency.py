"""Idempotency keys: the same key of the same caller for the same target stands for one run."""

import hashlib
import json
from dataclasses import dataclass

from runs.models import Run
from studio.core.access import Actor
from studio.core.errors import Refused
from studio.core.models import Workspace


class KeyReused(Refused):
    """The key already stands for the run of a different request."""

    status = 422
    code = "IdempotencyKeyReused"


@dataclass(frozen=True)
class Key:
    """`text` is the caller's. Keys of different `kind` or `target` are independent. If there is a
    `digest`, only a request with the same one gets the run."""

    kind: str
    target: str
    text: str
    digest: str = ""

    def stored_as(self, actor: Actor) -> str:
        """The value stored with the run, unique in its workspace."""
        parts = json.dumps([_caller(actor), self.target, self.text])
        return f"{self.kind}:{hashlib.sha256(parts.encode()).hexdigest()}"


def _caller(actor: Actor) -> str:
    if actor.token is not None:
        return f"token {actor.token.uuid}"
    if actor.user is not None:
        return f"user {actor.user.uuid}"
    return f"public {actor.endpoint_uuid}"


def run_of_key(actor: Actor, key: Key | None) -> Run | None:
    """The run of the key; KeyReused if a different request made it. Call it after checking that the
    actor may make the run."""
    if key is None:
        return None
    rows = Run.objects.filter(workspace=actor.workspace, idempotency_key=key.stored_as(actor))
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
    """`run_of_key` for callers that write more than the run, such as its graph. With a key it locks
    the workspace until this transaction ends: of two simultaneous requests with the same key, the
    second waits here and finds the run of the first."""
    if key is not None:
        Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    return run_of_key(actor, key)
