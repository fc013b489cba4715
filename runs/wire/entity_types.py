"""The types of what `entities` makes: mypy holds the functions to them, and the OpenAPI document shows
them."""

from typing import Annotated, Any, Literal, TypedDict

from endpoints.wire.fields import Status
from runs.states import Status as OurStatus
from runs.states import history_status
from studio.core.rest.enums import ENTITY_STATUSES, RUN_STATUSES, WORDS
from studio.core.rest.schema import Also, Time, Uuid

HistoryStatus = Annotated[
    str, Also(enum=list(dict.fromkeys(history_status(status) for status in OurStatus)))
]


class RunStatus(TypedDict):
    StatusCode: Annotated[str, Also(enum=list(RUN_STATUSES))]
    StatusDetail: Annotated[str | None, Also(description="Why the run failed")]
    CreationTime: Time
    EndTime: Time | None


class Creator(TypedDict):
    UserObjectId: str | None
    UserTenantId: str
    UserName: str | None


class PublicRunEntity(TypedDict):
    """What a caller without a token sees of its run: no values of parameters, which include defaults
    that it did not send, and no warnings, which suggest names."""

    Id: Uuid
    PipelineRunId: Annotated[Uuid, Also(description="The same as `Id`")]
    Description: str
    IsSubmitted: bool
    HasErrors: Annotated[bool, Also(description="Whether the run failed")]
    HasWarnings: Annotated[bool, Also(description="Whether there are `Warnings`")]
    UploadState: Literal["Completed"]
    RunHistoryExperimentName: Annotated[str | None, Also(description="The experiment of the run")]
    EntityStatus: Annotated[str, Also(enum=list(ENTITY_STATUSES))]
    CreatedDate: Time
    LastModifiedDate: Time
    Status: RunStatus


class PipelineRunEntity(PublicRunEntity):
    """A run of a pipeline (wire.md 7.3)."""

    RunUrl: Annotated[str, Also(description="The page of the run")]
    DisplayName: str | None
    GraphId: Uuid
    Warnings: Annotated[
        list[str],
        Also(description="Unknown keys and other things that were accepted, but look wrong"),
    ]
    ParameterAssignments: Annotated[
        dict[str, Any], Also(description="The value of every parameter; secrets are masked")
    ]
    DataPathAssignments: dict[str, Any]
    DataSetDefinitionValueAssignments: dict[str, Any]
    PipelineId: Uuid | None
    PipelineEndpointId: Uuid | None
    PipelineEndpointVersion: Annotated[str | None, Also(example="0")]
    RunSource: str | None
    RunType: str | None
    TotalRunSteps: int
    ScheduleId: Uuid | None
    ContinueExperimentOnNodeFailure: bool
    tags: dict[str, str]
    Properties: dict[str, str]
    CreatedBy: Creator
    Etag: str


class TimesEntity(TypedDict, total=False):
    Hours: list[int] | None
    Minutes: list[int] | None
    WeekDays: list[Annotated[str, Also(enum=list(WORDS["WeekDays"]))]] | None


class RecurrenceEntity(TypedDict, total=False):
    Frequency: Annotated[str, Also(enum=list(WORDS["Frequency"]))]
    Interval: Annotated[int, Also(description="Every how many of them.")]
    StartTime: Annotated[
        str | None, Also(description="Local time in `TimeZone`.", example="2026-12-01T08:00:00")
    ]
    TimeZone: Annotated[str | None, Also(description="A Windows or IANA name; by default UTC.")]
    Schedule: Annotated[TimesEntity | None, Also(description="When on a day or in a week.")]


class WatchEntity(TypedDict):
    DataStoreName: str
    PathOnDataStore: str | None
    PollingInterval: Annotated[int, Also(description="Minutes.")]
    DataPathParameterName: str | None
    IncludesSubfolders: bool
    OneRunPerBatch: bool


class ScheduleEntity(TypedDict):
    """A schedule (wire.md 11)."""

    Id: Uuid
    Name: str
    PipelineId: Uuid | None
    PipelineEndpointId: Uuid | None
    ScheduleType: Annotated[str, Also(enum=list(WORDS["ScheduleType"]))]
    Recurrence: RecurrenceEntity | None
    DataStoreTriggerInfo: WatchEntity | None
    PipelineSubmissionInfo: Annotated[
        dict[str, Any], Also(description="What was sent for its runs; secrets are masked.")
    ]
    ProvisioningStatus: Literal["Completed"]
    EntityStatus: Status
    Etag: Annotated[str, Also(description="To be sent back with changes.")]
    CreatedDate: Time
    LastModifiedDate: Time
    PipelineEndpointVersion: Annotated[str | None, Also(example="0")]
    SkipsWhileRunning: bool
    NextTime: Time | None


class Person(TypedDict):
    userObjectId: str | None
    userTenantId: str
    userName: str | None


class RunErrorBody(TypedDict):
    code: str
    message: str
    details: list[Any]


class RunError(TypedDict):
    error: RunErrorBody


class RunDto(TypedDict):
    """A run of any kind, as run history shows it (wire.md 9.1)."""

    runId: Uuid
    rootRunId: Annotated[Uuid, Also(description="The topmost run above it, or itself.")]
    parentRunId: Uuid | None
    runNumber: int
    experimentId: Uuid
    dataContainerId: Annotated[str, Also(description="Names its artifacts.")]
    runType: Annotated[str, Also(example="azureml.PipelineRun")]
    status: HistoryStatus
    name: str | None
    displayName: str | None
    description: str | None
    target: Annotated[str | None, Also(description="Its compute target.")]
    tags: dict[str, str]
    properties: dict[str, str]
    createdUtc: Time
    startTimeUtc: Time | None
    endTimeUtc: Time | None
    lastModifiedUtc: Time
    cancelRequestedUtc: Time | None
    error: RunError | None
    warnings: None
    createdBy: Person
    hidden: bool


class RunPage(TypedDict):
    """Runs, newest first."""

    value: list[RunDto]
    continuationToken: Annotated[
        str | None, Also(description="Leads to older runs; null on the last page.")
    ]
    nextLink: None


class Warned(TypedDict):
    source: str
    message: str


class RunDetailsDto(TypedDict):
    """A run with its datasets and logs (wire.md 9.2)."""

    runId: Uuid
    target: str | None
    status: HistoryStatus
    startTimeUtc: Time | None
    endTimeUtc: Time | None
    error: RunError | None
    properties: dict[str, str]
    warnings: list[Warned]
    inputDatasets: list[dict[str, Any]]
    outputDatasets: list[dict[str, Any]]
    runDefinition: Annotated[dict[str, Any] | None, Also(description="The Runconfig.")]
    logFiles: Annotated[
        dict[str, str], Also(description="Addresses of logs by name; they need no token.")
    ]
    submittedBy: str | None


class ExperimentDto(TypedDict):
    """An experiment (wire.md 9.2)."""

    experimentId: Uuid
    name: str
    description: str | None
    createdUtc: Time
    tags: dict[str, str]
    archivedTime: Time | None


class ExperimentPage(TypedDict):
    value: list[ExperimentDto]
    continuationToken: None
