"""What definitions look like on the wire: one function per entity, each naming its section."""

from endpoints.data.dataflow import yaml_of
from endpoints.models import (
    ComputeTarget,
    DatasetVersion,
    Datastore,
    Graph,
    Module,
    PipelineEndpoint,
    PublishedPipeline,
    SavedDataset,
)
from studio.core import blob_urls
from studio.core.access import Actor
from studio.core.rest import wire_time

# Wire 5: a client that misses one of these posts it.
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
    """Wire 5."""
    return {
        "Id": name,
        "Name": name,
        "Description": name,
        "IsDirectory": name == "AnyDirectory",
        "ParentDataTypeIds": [],
    }


def pipeline_url(pipeline: PublishedPipeline, base: str) -> str:
    """Where a POST runs this pipeline (wire 7)."""
    scope = pipeline.workspace.scope
    return f"{base}/pipelines/v1.0{scope}/PipelineRuns/PipelineSubmit/{pipeline.uuid}"


def endpoint_url(endpoint: PipelineEndpoint, base: str) -> str:
    """Where a POST runs the default version (wire 7)."""
    scope = endpoint.workspace.scope
    return f"{base}/pipelines/v1.0{scope}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"


def pipeline_entity(pipeline: PublishedPipeline, base: str) -> dict:
    """Wire 5.2: PipelineEntity."""
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


def pipeline_endpoint_entity(endpoint: PipelineEndpoint, base: str) -> dict:
    """Wire 6: PipelineEndpointEntity. Versions travel as decimal strings."""
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
    """Wire 5: the graph as it was posted, and its id."""
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
    """Wire 8.6: the interface as it was posted; its three lists are always there."""
    empty = {"Parameters": [], "DataPathParameters": [], "DataPathParameterList": []}
    return empty | {key: value for key, value in graph.interface.items() if value is not None}


def module_entity(module: Module) -> dict:
    """Wire 8.4: what was posted, and what the service adds."""
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
    """Wire 8.4: `Data` and the `Interface` that follows from its StructuredInterface."""
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


def compute_resource(compute: ComputeTarget) -> dict:
    """Wire 4.5: the nulls must be there, and there must be no `userAccountCredentials`."""
    return {
        "id": f"{compute.workspace.scope}/computes/{compute.name}",
        "name": compute.name,
        "location": "selfhosted",
        "tags": compute.tags or None,
        "properties": {
            "computeType": compute.compute_type,
            "provisioningState": "Succeeded",
            "description": compute.description or None,
            "provisioningErrors": None,
            "resourceId": None,
            "isAttachedCompute": False,
            "createdOn": wire_time(compute.created_at),
            "properties": {
                "vmSize": compute.vm_size,
                "vmPriority": "Dedicated",
                "subnet": None,
                "scaleSettings": {
                    "minNodeCount": 0,
                    "maxNodeCount": 1,
                    "nodeIdleTimeBeforeScaleDown": "PT120S",
                },
            },
        },
    }


def datastore_dto(datastore: Datastore, base: str, *, by: Actor, writable: bool) -> dict:
    """Wire 10.2: account and endpoint combine to the userinfo form of 8.3, with a container SAS."""
    container = f"datastore-{datastore.uuid}"
    sas = blob_urls.container_sas(container, by=by, may="rlcw" if writable else "rl")
    return {
        "name": datastore.name,
        "dataStoreType": "AzureBlob",
        "hasBeenValidated": True,
        "isDefault": datastore.is_default,
        "tags": datastore.tags,
        "azureStorageSection": {
            "accountName": blob_urls.ACCOUNT,
            "containerName": container,
            "endpoint": blob_urls.endpoint(base),
            "protocol": "https",
            "credentialType": "Sas",
            "credential": sas,
            "sasToken": sas,
            "isSas": True,
            "accountKey": None,
        },
    }


def dataset_dto(version: DatasetVersion) -> dict:
    """Wire 10.1: DatasetDto; `.id` of the SDK's object is the saved dataset's."""
    dataset, saved = version.dataset, version.saved
    return {
        "datasetId": str(dataset.uuid),
        "name": dataset.name,
        "description": version.description or dataset.description,
        "tags": version.tags or dataset.tags,
        "isVisible": dataset.is_visible,
        "datasetType": saved.dataset_type,
        "datasetState": {"state": "active"},
        "createdTime": wire_time(dataset.created_at),
        "modifiedTime": wire_time(version.created_at),
        "latest": {
            "datasetId": str(dataset.uuid),
            "versionId": str(version.number),
            "savedDatasetId": str(saved.uuid),
            "dataflow": saved.dataflow,
            "properties": saved.properties,
            "datasetDefinitionState": {"state": "active"},
            "createdTime": wire_time(version.created_at),
        },
    }


def saved_dataset_dto(saved: SavedDataset) -> dict:
    """Wire 10.1: what was posted to `saveddatasets`, and its id."""
    return {
        "id": str(saved.uuid),
        "datasetType": saved.dataset_type,
        "properties": saved.properties,
        "dataflowJson": saved.dataflow,
        "createdTime": wire_time(saved.created_at),
    }


def data_version(saved: SavedDataset) -> dict:
    """Wire 10.1: `legacyDataflow` is `meta.RsDataflow` of the dataflow; every load asks for it."""
    return {
        "dataContainerName": f"unregistered-{saved.uuid}",
        "versionId": "1",
        "dataType": "MLTable",
        "legacyDataflow": yaml_of(saved.dataflow),
        "savedDatasets": [saved_dataset_dto(saved)],
    }
