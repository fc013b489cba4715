"""What a body asks of a run, read in one place whatever address it came to, and written again for
clients that store it in a schedule or a draft (wire.md 7.1).

A key that nobody reads is a value that somebody meant: with `ParameterAssignment` the defaults
would run. So each unknown or repeated key gets a remark.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from endpoints.wire import fields
from runs.models import Source
from runs.submission import Remark, RunSettings
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body, keys_twice
from studio.core.rest.enums import RUN_TYPES

NAMES = {  # of the settings that a client reads back
    "experiment": "ExperimentName",
    "description": "Description",
    "assignments": "ParameterAssignments",
    "datasets": "DataSetDefinitionValueAssignments",
    "datapaths": "DataPathAssignments",
    "tags": "tags",
    "step_tags": "StepTags",
    "properties": "Properties",
    "run_source": "RunSource",
    "continue_on_step_failure": "ContinueRunOnStepFailure",
}
# In errors about a submission, whose target may be a new graph.
FIELD_NAMES = {
    **fields.FIELD_NAMES,
    **NAMES,
    "settings": "PipelineSubmissionInfo",
    "version": "pipelineVersion",
    "datastore": "DataStoreName",
    "data_source": "DatasetId",
}
# Sent by clients of v1, without effect here.
EXTRAS = ("AzDevOpsCallBackInfo", "EnableNotification", "ScheduleId", "CredentialPassthrough")
MEANT = {
    "pipelineversion": (
        "A version goes into the address: …/{id}/{version}, or ?pipelineVersion={version}."
    ),
}
OBJECTS = (
    *("ParameterAssignments", "DataSetDefinitionValueAssignments", "DataPathAssignments"),
    *("Tags", "StepTags", "Properties"),
)
MOST_STEP_TAGS = 50  # each is a row per step
MOST = 20  # remarks; a body may have any number of keys


@dataclass(frozen=True)
class Shape:
    """The keys of one kind of body, and `extras` that clients send without effect. Of `not_here`, keys
    that only other kinds read, there is a remark."""

    name: str
    keys: tuple[str, ...]
    extras: tuple[str, ...] = EXTRAS
    not_here: tuple[str, ...] = ()

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(key.lower() for key in (*self.keys, *self.extras))

    @cached_property
    def read(self) -> frozenset[str]:
        unread = {*self.extras, *self.not_here}
        return frozenset(key.lower() for key in self.keys if key not in unread)


TRIGGER = Shape(
    "The body",
    (
        *("ExperimentName", "Description", "DisplayName", "ParameterAssignments"),
        *("DataSetDefinitionValueAssignments", "DataPathAssignments", "Tags", "StepTags"),
        *("Properties", "RunSource", "RunType", "ContinueRunOnStepFailure"),
        *("continueOnStepFailure", "ParentRunId"),
    ),
)
# Of a schedule or a draft, which makes many runs, later, of its own type.
STORED = replace(TRIGGER, extras=(*EXTRAS, "RunType"), not_here=("ParentRunId", "DisplayName"))
CREATION = Shape(
    "CreationInfo",
    (
        *("RunHistoryExperimentName", "Description", "DisplayName", "ParameterAssignments"),
        *("DataSetDefinitionValueAssignments", "DataPathAssignments", "Tags", "Properties"),
        *("RunSource", "RunType", "ContinueExperimentOnNodeFailure", "ContinueRunOnStepFailure"),
    ),
)
AROUND_CREATION = Shape("The body", ("CreationInfo", "Graph", "GraphInterface"), ("GraphLayout",))


def read(body: Body, shape: Shape = TRIGGER) -> RunSettings:
    asked = Body({key: value for key, value in body.raw.items() if key.lower() in shape.read})
    return RunSettings(
        experiment=_first(asked, asked.text, "ExperimentName", "RunHistoryExperimentName"),
        description=asked.text("Description"),
        display_name=asked.text("DisplayName", longest=LONGEST),
        assignments=_given(asked, asked.mapping, "ParameterAssignments"),
        datasets=_given(asked, asked.mapping, "DataSetDefinitionValueAssignments"),
        datapaths=_given(asked, asked.mapping, "DataPathAssignments"),
        tags=_given(asked, asked.texts, "tags"),
        step_tags=_step_tags(asked),
        properties=_given(asked, asked.texts, "Properties"),
        run_source=asked.text("RunSource", longest=100),
        run_type=_run_type(asked),
        # The SDK's keys, and Data Factory's.
        continue_on_step_failure=_first(
            asked,
            asked.flag,
            "ContinueExperimentOnNodeFailure",
            "ContinueRunOnStepFailure",
            "continueOnStepFailure",
        ),
        unknown={key: value for key, value in body.raw.items() if key.lower() not in shape.read},
        remarks=_remarks(body, shape),
    )


def read_stored(body: Body) -> RunSettings:
    """PipelineSubmissionInfo, which a schedule or a draft has."""
    info = Body(body.mapping("PipelineSubmissionInfo"), name="PipelineSubmissionInfo")
    return read(info, STORED)


def read_creation(body: Body, info: Body) -> RunSettings:
    """CreationInfo, with remarks about the body around it too."""
    settings = read(info, CREATION)
    return replace(settings, remarks=_remarks(body, AROUND_CREATION) | dict(settings.remarks))


def write(settings: RunSettings) -> dict[str, Any]:
    """PipelineSubmissionInfo: everything that was given, with masks for secrets."""
    shown = settings.masked()
    given = {wire: getattr(shown, name) for name, wire in NAMES.items()}
    return {**shown.unknown, **{k: v for k, v in given.items() if v is not None and v != ""}}


def source_of(settings: RunSettings) -> Source:
    """SDK if one of two keys says so; everyone else is a REST caller."""
    words = {settings.run_source.lower(), settings.run_type.lower()}
    return Source.SDK if "sdk" in words else Source.REST


def _given(body: Body, read_key: Callable[[str], Any], key: str) -> Any:
    return read_key(key) if key in body else None


def _first(body: Body, read_key: Callable[[str], Any], *keys: str) -> Any:
    found = [_given(body, read_key, key) for key in keys]
    return next((value for value in found if value is not None), None)


def _step_tags(body: Body) -> dict[str, str] | None:
    found: dict[str, str] | None = _given(body, body.texts, "StepTags")
    if found and len(found) > MOST_STEP_TAGS:
        raise BadValue(f"StepTags may have at most {MOST_STEP_TAGS} tags.", target="StepTags")
    return found


def _run_type(body: Body) -> str:
    """Clients written for the first description send a number (wire.md 3.6)."""
    text = body.text("RunType", longest=100)
    return dict(zip("0123", RUN_TYPES, strict=True)).get(text, text)


# --- remarks --------------------------------------------------------------------------------------
def _remarks(body: Body, shape: Shape) -> dict[str, Remark]:
    """Remarks about unknown and repeated keys of the body, by key."""
    found: dict[str, Remark] = {}
    for key in body.raw:
        if len(found) == MOST:
            break
        if key.lower() not in shape.known:
            fault = f"{shape.name} has no key {key[:100]!r}"
            found[key[:100]] = Remark(fault, "it was ignored", _hint(key, shape))
    for names in body.twice[:MOST]:
        which = " and ".join(each[:100] for each in names)
        named = f"has {which}" if len(names) > 1 else f"names {which} more than once"
        found[names[-1][:100]] = Remark(f"{shape.name} {named}", "only the last one counts")
    for section in OBJECTS:
        for key in keys_twice(body.mapping(section))[:MOST]:
            fault = f"{section} names {key[:100]} more than once"
            found[key[:100]] = Remark(fault, "only the last value counts")
    return found | {
        key: Remark(f"{key} is read from the body of a trigger only", "it was ignored")
        for key in shape.not_here
        if key in body
    }


def _hint(key: str, shape: Shape) -> str:
    if key.lower() in MEANT:
        return f" {MEANT[key.lower()]}"
    names = {name.lower(): name for name in shape.keys}
    close = difflib.get_close_matches(key[:100].lower(), names, n=1)
    return f" Did you mean {names[close[0]]}?" if close else ""
