"""The bodies of run history that people write (wire.md 9.2)."""

from typing import Annotated, Any

from runs.states import Status
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body
from studio.core.rest.schema import Also, example, looks_like
from studio.core.rest.serializers import Text, Texts, WireSerializer

# Statuses that a client may set on its own run, in run history's words.
CLIENT_STATUSES = {
    status.lower(): status
    for status in (
        *(Status.NOT_STARTED, Status.QUEUED, Status.PREPARING, Status.RUNNING),
        *(Status.FINALIZING, Status.COMPLETED, Status.FAILED, Status.CANCELED),
    )
}
VIEW_TYPES = ("ActiveOnly", "ArchivedOnly", "All")


def number(value: object, key: str) -> int | None:
    if value in (None, ""):
        return None
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadValue(f"{key} must be a whole number, not {text[:80]!r}.", target=key)
    return int(text)


@looks_like(int)
class Number(Text):
    def of(self, body: Body, key: str) -> Any:
        return number(body.get(key), key)


@looks_like(Annotated[str, Also(enum=[status.value for status in CLIENT_STATUSES.values()])])
class ClientStatus(Text):
    def of(self, body: Body, key: str) -> Status:
        word = super().of(body, key)
        status = CLIENT_STATUSES.get(word.lower())
        if status is None:
            known = ", ".join(CLIENT_STATUSES.values())
            raise BadValue(f"{key} must be one of {known}, not {word!r}.", target=key)
        return status


@looks_like(Annotated[str, Also(enum=list(VIEW_TYPES))])
class ViewType(Text):
    pass


@example({"displayName": "Best so far", "tags": {"team": "churn"}})
class StatedRun(WireSerializer):
    """Changes of a run, and what the run is created with if it does not exist."""

    parentRunId = Text(  # noqa: N815
        "parent", default=None, help_text="The run that a new one is below."
    )
    name = Text(default="", max_length=LONGEST, help_text="Of a new run.")
    target = Text(default="", max_length=64, help_text="The compute target of a new run.")
    tags = Texts(help_text="Added to those that are there.")
    properties = Texts(help_text="Added to those that are there, which never change.")
    displayName = Text("display_name", max_length=LONGEST)  # noqa: N815
    description = Text()
    status = ClientStatus(help_text="Of a run that the client itself executes.")


@example({"filter": "Status eq Running and Tags/team eq churn", "top": 50})
class RunQuery(WireSerializer):
    filter = Text(default="", help_text="In the part of OData of wire.md 9.2; by default all runs.")
    top = Number(default=None, help_text="The most rows; 500 at most.")
    continuationToken = Number(  # noqa: N815
        "token", default=None, help_text="From the page before."
    )
    orderby = Text(default="", help_text="Only newest first is served: `StartTimeUtc desc`.")


@example({"filter": "name eq churn", "viewType": "All"})
class ExperimentQuery(WireSerializer):
    viewType = ViewType(  # noqa: N815
        "view_type", default="", help_text="By default ActiveOnly; the query may have it too."
    )
    filter = Text(default="", help_text="In the part of OData of wire.md 9.2; by default all.")
