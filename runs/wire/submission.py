"""What a body asks of a run, read in one place whatever address it came to, and written again for
clients that store it in a schedule or a draft (wire.md 7.1).

A key that nobody reads is a value that somebody meant: with `ParameterAssignment` the defaults
would run. So each unknown or repeated key gets a remark.
"""

import difflib
from dataclasses import replace
from typing import Any, TypedDict

from django.utils.translation import gettext_lazy as _
from rest_framework.serializers import BooleanField, DictField, Field

from endpoints.wire import fields
from runs.models import Source
from runs.submission import Remark, RunSettings
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body, keys_twice
from studio.core.rest.enums import RUN_TYPES
from studio.core.rest.schema import example, looks_like
from studio.core.rest.serializers import Flag, Object, Text, Texts, WireSerializer

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
MEANT = {
    "pipelineversion": (
        "A version goes into the address: …/{id}/{version}, or ?pipelineVersion={version}."
    ),
}
MOST_STEP_TAGS = 50  # each is a row per step
MOST = 20  # remarks; a body may have any number of keys


class DataPath(TypedDict):
    DataStoreName: str
    RelativePath: str


class SavedId(TypedDict):
    Id: str


class SavedDataset(TypedDict):
    SavedDataSetReference: SavedId


class NameAndVersion(TypedDict, total=False):
    Name: str
    Id: str
    Version: str


class RegisteredDataset(TypedDict):
    DataSetReference: NameAndVersion


@looks_like(dict[str, str | float | bool])
class Values(Object):
    pass


@looks_like(dict[str, DataPath | str])
class DataPaths(Object):
    pass


@looks_like(dict[str, SavedDataset | RegisteredDataset])
class Datasets(Object):
    pass


class FewTexts(Texts):
    def of(self, body: Body, key: str) -> dict[str, str]:
        found = super().of(body, key)
        if len(found) > MOST_STEP_TAGS:
            raise BadValue(f"{key} may have at most {MOST_STEP_TAGS} tags.", target=key)
        return found


class WordOrNumber(Text):
    """Clients written for the first description send a number (wire.md 3.6)."""

    def of(self, body: Body, key: str) -> str:
        text = super().of(body, key)
        return dict(zip("0123", RUN_TYPES, strict=True)).get(text, text)


class RunBody(WireSerializer):
    """The keys of one kind of body that asks for runs. `extras` are sent by clients of v1 and have no
    effect here. Of `not_here`, keys that only other kinds read, there is a remark."""

    called = "The body"
    extras: tuple[str, ...] = (
        *("AzDevOpsCallBackInfo", "EnableNotification", "ScheduleId", "CredentialPassthrough"),
    )
    not_here: tuple[str, ...] = ()
    read_keys: set[str]
    meant: dict[str, str]  # what a misspelt key may mean
    known: set[str]
    sections: list[str]  # the keys of objects

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        keys = cls._declared_fields
        cls.read_keys = {key.lower() for key in keys}
        cls.meant = {key.lower(): key for key in (*keys, *cls.not_here)}
        cls.known = {*cls.meant, *(key.lower() for key in cls.extras)}
        cls.sections = [key for key, field in keys.items() if isinstance(field, DictField)]


@example(
    {
        "ExperimentName": "nightly",
        "Description": "After the release",
        "ParameterAssignments": {"learning_rate": "0.1", "epochs": 3},
        "DataPathAssignments": {
            "input": {"DataStoreName": "workspaceblobstore", "RelativePath": "in/today"}
        },
        "DataSetDefinitionValueAssignments": {
            "customers": {"DataSetReference": {"Name": "customers", "Version": "2"}}
        },
        "tags": {"team": "churn"},
        "ContinueRunOnStepFailure": False,
    }
)
class Trigger(RunBody):
    """What a run is to be, beside its target."""

    ExperimentName = Text(
        "experiment",
        help_text=_(
            "The experiment of the run; by default one with the name of the endpoint or pipeline."
        ),
    )
    Description = Text("description", help_text=_("A sentence about the run."))
    DisplayName = Text("display_name", max_length=LONGEST, help_text=_("The name of the run."))
    ParameterAssignments = Values(
        "assignments",
        help_text=_(
            "Values by parameter name, as texts or bare numbers, whose spelling is kept. Parameters that are not named keep their default."
        ),
    )
    DataSetDefinitionValueAssignments = Datasets(
        "datasets",
        help_text=_(
            "Datasets by parameter name: a saved one by id, or a registered name and version."
        ),
    )
    DataPathAssignments = DataPaths(
        "datapaths", help_text=_("A datastore and a path on it, by parameter name.")
    )
    tags = Texts(help_text=_("Texts by name; runs can be searched by them."))
    StepTags = FewTexts(
        "step_tags", help_text=_("Texts by name, which every step of the run is tagged with.")
    )
    Properties = Texts("properties", help_text=_("Texts by name that never change."))
    RunSource = Text(
        "run_source",
        max_length=100,
        help_text=_("Who calls, as free text; stored with the run."),
    )
    RunType = WordOrNumber(
        "run_type",
        max_length=100,
        help_text=_("The kind of caller: HTTP, SDK, Schedule or Portal."),
    )
    ContinueRunOnStepFailure = Flag(
        "continue_on_step_failure",
        help_text=_("Whether steps that do not depend on a failed one continue."),
    )
    continueOnStepFailure = Flag(  # noqa: N815
        "continue_on_step_failure", help_text=_("The same, as Data Factory writes it.")
    )
    ParentRunId = Text("parent", help_text=_("The run that this one is shown below."))


class Stored(Trigger):
    """What the runs of a schedule or a draft are to be: they start later, with a type of their own."""

    DisplayName = RunType = ParentRunId = None
    extras = (*RunBody.extras, "RunType")
    not_here = ("ParentRunId", "DisplayName")

    def of(self, body: Body, key: str) -> RunSettings:
        return read(Body(body.mapping(key), name=key), type(self))


class OfCreation(RunBody):
    RunHistoryExperimentName = Text("experiment")
    ContinueExperimentOnNodeFailure = Flag("continue_on_step_failure")


class Creation(OfCreation, Trigger):
    called = "CreationInfo"
    ExperimentName = StepTags = continueOnStepFailure = ParentRunId = None  # noqa: N815


class AroundCreation(RunBody):
    CreationInfo = Creation(required=False)
    Graph = Object()
    GraphInterface = Object()
    extras = ("GraphLayout",)


def described(shape: type[RunBody]) -> list[tuple[str, str, object]]:
    """Key, type and meaning of each key, for people."""
    return [(key, _kind(field), field.help_text) for key, field in shape._declared_fields.items()]


def _kind(field: Field) -> str:
    if isinstance(field, DictField):
        return "object"
    return "boolean" if isinstance(field, BooleanField) else "string"


def read(body: Body, shape: type[RunBody] = Trigger) -> RunSettings:
    values = shape.read(body)
    values.pop("parent", None)
    return RunSettings(
        **values,
        unknown={
            key: value for key, value in body.raw.items() if key.lower() not in shape.read_keys
        },
        remarks=_remarks(body, shape),
    )


def read_stored(body: Body) -> RunSettings:
    """PipelineSubmissionInfo, which a schedule or a draft has."""
    return Stored().of(body, "PipelineSubmissionInfo")


def read_creation(body: Body, info: Body) -> RunSettings:
    """CreationInfo, with remarks about the body around it too."""
    settings = read(info, Creation)
    return replace(settings, remarks=_remarks(body, AroundCreation) | dict(settings.remarks))


def write(settings: RunSettings) -> dict[str, Any]:
    """PipelineSubmissionInfo: everything that was given, with masks for secrets."""
    shown = settings.masked()
    given = {wire: getattr(shown, name) for name, wire in NAMES.items()}
    return {**shown.unknown, **{k: v for k, v in given.items() if v is not None and v != ""}}


def source_of(settings: RunSettings) -> Source:
    """SDK if one of two keys says so; everyone else is a REST caller."""
    words = {settings.run_source.lower(), settings.run_type.lower()}
    return Source.SDK if "sdk" in words else Source.REST


# --- remarks --------------------------------------------------------------------------------------
def _remarks(body: Body, shape: type[RunBody]) -> dict[str, Remark]:
    """Remarks about unknown and repeated keys of the body, by key."""
    found: dict[str, Remark] = {}
    for key in body.raw:
        if len(found) == MOST:
            break
        if key.lower() not in shape.known:
            fault = f"{shape.called} has no key {key[:100]!r}"
            found[key[:100]] = Remark(fault, "it was ignored", _hint(key, shape))
    for names in body.twice[:MOST]:
        which = " and ".join(each[:100] for each in names)
        named = f"has {which}" if len(names) > 1 else f"names {which} more than once"
        found[names[-1][:100]] = Remark(f"{shape.called} {named}", "only the last one counts")
    for section in shape.sections:
        for key in keys_twice(body.mapping(section))[:MOST]:
            fault = f"{section} names {key[:100]} more than once"
            found[key[:100]] = Remark(fault, "only the last value counts")
    return found | {
        key: Remark(f"{key} is read from the body of a trigger only", "it was ignored")
        for key in shape.not_here
        if key in body
    }


def _hint(key: str, shape: type[RunBody]) -> str:
    if key.lower() in MEANT:
        return f" {MEANT[key.lower()]}"
    close = difflib.get_close_matches(key[:100].lower(), shape.meant, n=1)
    return f" Did you mean {shape.meant[close[0]]}?" if close else ""
