"""The types of what `entities` makes: mypy holds the functions to them, and the OpenAPI document shows
them."""

from typing import Annotated, Any, Literal, TypedDict

from studio.core.rest.enums import ENTITY_STATUSES, RUN_STATUSES
from studio.core.rest.schema import Also, Time, Uuid


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
