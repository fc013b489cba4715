"""What definitions look like on the wire: one function per entity, with its section of wire.md."""

from typing import Annotated, Any, TypedDict

from endpoints.models import EnvironmentVersion, Graph, Module, PipelineEndpoint, PublishedPipeline
from endpoints.wire.fields import Status
from studio.core.rest.schema import Also, Time, Uuid
from studio.core.rest.views import wire_time


class PipelineEntity(TypedDict):
    """A published pipeline (wire.md 5.2)."""

    Id: Uuid
    Name: str
    Description: str
    Version: str | None
    GraphId: Uuid
    TotalRunSteps: int
    Url: Annotated[str, Also(description="Where a POST runs it.")]
    EntityStatus: Status
    ContinueRunOnStepFailure: bool
    ParameterAssignments: Annotated[
        dict[str, Any], Also(description="The default of every parameter, as a text.")
    ]
    DataSetDefinitionValueAssignments: dict[str, Any]
    EnableNotification: None
    Properties: dict[str, str]
    Etag: str
    CreatedDate: Time
    LastModifiedDate: Time


class VersionEntity(TypedDict):
    Version: Annotated[str, Also(example="0")]
    PipelineId: Uuid


class PipelineEndpointEntity(TypedDict):
    """A pipeline endpoint (wire.md 6)."""

    Id: Uuid
    Name: str
    Description: str
    DefaultVersion: str | None
    PipelineVersionList: list[VersionEntity]
    Url: Annotated[str, Also(description="Where a POST runs the default version.")]
    SwaggerUrl: str
    EntityStatus: Status
    Properties: dict[str, str]
    tags: dict[str, str]
    Etag: Annotated[str, Also(description="To be sent back with changes.")]
    CreatedDate: Time
    LastModifiedDate: Time


# A client that does not find one of these posts it (wire.md 5).
DATA_TYPES = (
    "AnyFile",
    "AnyDirectory",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
)


def data_type(name: str) -> dict:
    return {
        "Id": name,
        "Name": name,
        "Description": name,
        "IsDirectory": name == "AnyDirectory",
        "ParentDataTypeIds": [],
    }


def pipeline_url(pipeline: PublishedPipeline, base: str) -> str:
    """Where a POST runs this pipeline (wire.md 7)."""
    scope = pipeline.workspace.scope
    return f"{base}/pipelines/v1.0{scope}/PipelineRuns/PipelineSubmit/{pipeline.uuid}"


def endpoint_url(endpoint: PipelineEndpoint, base: str) -> str:
    """Where a POST runs the default version (wire.md 7)."""
    scope = endpoint.workspace.scope
    return f"{base}/pipelines/v1.0{scope}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"


def pipeline_entity(pipeline: PublishedPipeline, base: str) -> PipelineEntity:
    return {
        "Id": str(pipeline.uuid),
        "Name": pipeline.name,
        "Description": pipeline.description,
        "Version": pipeline.version or None,
        "GraphId": str(pipeline.graph.uuid),
        "TotalRunSteps": pipeline.step_count,
        "Url": pipeline_url(pipeline, base),
        "EntityStatus": pipeline.status,
        "ContinueRunOnStepFailure": pipeline.continue_on_step_failure,
        "ParameterAssignments": pipeline.parameter_defaults,
        "DataSetDefinitionValueAssignments": pipeline.graph.dataset_defaults,
        "EnableNotification": None,
        "Properties": pipeline.properties,
        "Etag": str(pipeline.etag),
        "CreatedDate": wire_time(pipeline.created_at),
        "LastModifiedDate": wire_time(pipeline.updated_at),
    }


def pipeline_endpoint_entity(endpoint: PipelineEndpoint, base: str) -> PipelineEndpointEntity:
    """Versions travel as decimal strings (wire.md 6)."""
    default = endpoint.default_version
    return {
        "Id": str(endpoint.uuid),
        "Name": endpoint.name,
        "Description": endpoint.description,
        "DefaultVersion": str(default.number) if default else None,
        "PipelineVersionList": [
            {"Version": str(version.number), "PipelineId": str(version.pipeline.uuid)}
            for version in sorted(endpoint.versions.all(), key=lambda version: version.number)
        ],
        "Url": endpoint_url(endpoint, base),
        "SwaggerUrl": f"{base}/api/schema",
        "EntityStatus": endpoint.status,
        "Properties": endpoint.properties,
        "tags": endpoint.tags,
        "Etag": str(endpoint.etag),
        "CreatedDate": wire_time(endpoint.created_at),
        "LastModifiedDate": wire_time(endpoint.updated_at),
    }


def graph_entity(graph: Graph) -> dict:
    """The graph as it was posted, and its id (wire.md 5)."""
    return {
        "ModuleNodes": [],
        "DatasetNodes": [],
        "Edges": [],
        **graph.wire,
        "Id": str(graph.uuid),
        "EntityStatus": "Active",
        "CreatedDate": wire_time(graph.created_at),
        "LastModifiedDate": wire_time(graph.created_at),
    }


def graph_interface(graph: Graph) -> dict:
    """The interface as it was posted; its three lists are always there (wire.md 8.6)."""
    empty: dict[str, list] = {
        "Parameters": [],
        "DataPathParameters": [],
        "DataPathParameterList": [],
    }
    return empty | {key: value for key, value in graph.interface.items() if value is not None}


def module_entity(module: Module) -> dict:
    """What was posted, and what the service adds (wire.md 8.4)."""
    return {
        "Id": str(module.uuid),
        "Name": module.name,
        "Description": module.description,
        "IsDeterministic": module.is_deterministic,
        "ModuleExecutionType": module.execution_type,
        "ModuleType": module.module_type or None,
        "StepType": module.step_type,
        "IdentifierHash": module.identifier_hash or None,
        "StructuredInterface": module.structured_interface,
        "StorageId": module.storage_id or None,
        "IsInterfaceOnly": module.is_interface_only,
        "Runconfig": module.runconfig or None,
        "CloudSettings": module.cloud_settings,
        "Properties": module.properties,
        "UploadState": "Completed",
        "EntityStatus": "Active",
        "CreatedDate": wire_time(module.created_at),
        "LastModifiedDate": wire_time(module.created_at),
    }


def module_with_interface(module: Module) -> dict:
    """`Data` and the `Interface` that follows from its StructuredInterface (wire.md 8.4)."""
    declared = module.structured_interface
    return {
        "Data": module_entity(module),
        "Interface": {
            "Parameters": [_parameter(row) for row in declared.get("Parameters") or []],
            "MetadataParameters": [
                _parameter(row) for row in declared.get("MetadataParameters") or []
            ],
            "Ports": {
                "Inputs": [
                    {
                        "Name": row.get("Name"),
                        "DataTypesIds": row.get("DataTypeIdsList") or [],
                        "IsOptional": bool(row.get("IsOptional")),
                    }
                    for row in declared.get("Inputs") or []
                ],
                "Outputs": [
                    {"Name": row.get("Name"), "DataTypeId": row.get("DataTypeId")}
                    for row in declared.get("Outputs") or []
                ],
            },
            "DataPathParameters": [],
            "DataPathParameterList": [],
        },
    }


def _parameter(row: dict) -> dict:
    return {
        "Name": row.get("Name"),
        "DefaultValue": row.get("DefaultValue"),
        "IsOptional": bool(row.get("IsOptional")),
        "Type": row.get("ParameterType") or "String",
        "Documentation": row.get("Description"),
    }


def environment_definition(version: EnvironmentVersion) -> dict:
    """The definition as it was posted, with its name and version (wire.md 9.6)."""
    return {
        **version.definition,
        "name": version.environment.name,
        "version": str(version.number),
    }
