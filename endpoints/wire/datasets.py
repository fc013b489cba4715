"""What datastores and what lies in them look like on the wire: one function per entity."""

from endpoints.data.dataflow import yaml_of
from endpoints.models import DatasetVersion, DataSource, Datastore, SavedDataset
from studio.core.access import Actor
from studio.core.rest.views import wire_time
from studio.storage import links


def datastore_dto(datastore: Datastore, base: str, *, by: Actor, writable: bool) -> dict:
    """Account and endpoint combine to the host of wire.md 8.3, with a container SAS (wire.md 10.2)."""
    container = f"datastore-{datastore.uuid}"
    sas = links.container_sas(container, by=by, may="rlcw" if writable else "rl")
    return {
        "name": datastore.name,
        "dataStoreType": "AzureBlob",
        "hasBeenValidated": True,
        "isDefault": datastore.is_default,
        "tags": datastore.tags,
        "azureStorageSection": {
            "accountName": links.ACCOUNT,
            "containerName": container,
            "endpoint": links.endpoint(base),
            "protocol": "https",
            "credentialType": "Sas",
            "credential": sas,
            "sasToken": sas,
            "isSas": True,
            "accountKey": None,
        },
    }


def dataset_dto(version: DatasetVersion) -> dict:
    """DatasetDto (wire.md 10.1). The `.id` of the SDK's object is the saved dataset's."""
    dataset, saved = version.dataset, version.saved
    return {
        "datasetId": str(dataset.uuid),
        "name": dataset.name,
        "description": version.description,
        "tags": version.tags,
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
    """A saved dataset: what was posted, and its id (wire.md 10.1)."""
    return {
        "id": str(saved.uuid),
        "datasetType": saved.dataset_type,
        "properties": saved.properties,
        "dataflowJson": saved.dataflow,
        "createdTime": wire_time(saved.created_at),
    }


def data_version(saved: SavedDataset) -> dict:
    """The dataflow of a saved dataset, which each load asks for: `legacyDataflow` is its
    `meta.RsDataflow` (wire.md 10.1)."""
    return {
        "dataContainerName": f"unregistered-{saved.uuid}",
        "versionId": "1",
        "dataType": "MLTable",
        "legacyDataflow": yaml_of(saved.dataflow),
        "savedDatasets": [saved_dataset_dto(saved)],
    }


def data_source_entity(source: DataSource) -> dict:
    """DataSourceEntity (wire.md 8.7)."""
    place = {
        "RelativePath": source.relative_path,
        "AmlDataStoreName": source.datastore.name if source.datastore else None,
    }
    return {
        "Id": str(source.uuid),
        "Name": source.name,
        "Description": source.wire.get("Description"),
        "DataTypeId": source.wire.get("DataTypeId") or "AnyDirectory",
        "IdentifierHash": source.identifier_hash or None,
        "UploadState": "Completed",
        "EntityStatus": "Active",
        "DataLocation": {
            "StorageType": "DataReference",
            "DataReference": {"Type": "AzureBlob", "AzureBlobReference": place},
        },
        "CreatedDate": wire_time(source.created_at),
        "LastModifiedDate": wire_time(source.created_at),
    }
