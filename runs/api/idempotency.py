"""`Idempotency-Key` on the addresses that make runs (wire.md 3.5): a repeated request gets its run."""

import hashlib
import json

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from runs.models import Run
from runs.submission import Key
from runs.wire.submission import FIELD_NAMES
from studio.core.errors import BadValue
from studio.core.numbers import storable
from studio.core.rest.bodies import LONGEST
from studio.core.rest.views import TriggerDoor

HEADER = "Idempotency-Key"
DOCUMENTED = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        f"At most {LONGEST} characters. The same key with the same request gets the run of the first"
        " one, and `Idempotent-Replayed: true`; with another request it is 422. A refused call uses"
        " none up."
    ),
)
# Query parameters that name the target: the key is stored with the target, and a version may come
# in two ways.
OF_TARGET = ("name", "pipelineversion")


class KeyedView(TriggerDoor):
    """A view that makes at most one run per key."""

    field_names = FIELD_NAMES

    def key(self, target: object, *, version: int | None = None) -> Key | None:
        text = self.request.headers.get(HEADER)
        if text is None:
            return None
        if not text or len(text) > LONGEST:
            raise BadValue(f"{HEADER} has 1 to {LONGEST} characters.", target=HEADER)
        return Key("call", str(target), text, self.digest(version))

    def digest(self, version: int | None) -> str:
        """A digest of everything that decides about the run; formatting of the JSON does not
        count."""
        query = sorted(
            (key.lower(), value)
            for key, values in self.request.query_params.lists()
            for value in values
            if key.lower() not in OF_TARGET
        )
        asked = json.dumps([storable(self.request.data), query, version], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()


def reply(run: Run, entity) -> Response:
    """The response for a run, marked if a key has found an earlier one."""
    return Response(entity, headers={"Idempotent-Replayed": "true"} if run.is_replayed else None)
