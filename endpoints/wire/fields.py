"""Words that several bodies have in common: their readers, and the wire's names of our fields."""

from typing import Annotated

from endpoints.models import EntityStatus
from studio.core.errors import BadValue
from studio.core.rest.bodies import kind_of
from studio.core.rest.schema import Also

Status = Annotated[str, Also(enum=[EntityStatus.ACTIVE.value, EntityStatus.DISABLED.value])]
FIELD_NAMES = {  # in errors of the pipelines service
    "name": "Name",
    "description": "Description",
    "version": "Version",
    "properties": "Properties",
    "status": "EntityStatus",
    "graph": "Graph",
    "interface": "GraphInterface",
    "dataset_defaults": "DataSetDefinitionValueAssignments",
    "pipeline": "PipelineId",
    "versions": "PipelineVersionList",
    "default_version": "DefaultVersion",
    "structured_interface": "StructuredInterface",
    "identifier_hash": "IdentifierHash",
    "execution_type": "ModuleExecutionType",
    "module_type": "ModuleType",
    "step_type": "StepType",
    "runconfig": "Runconfig",
    "cloud_settings": "CloudSettings",
    "storage_id": "StorageId",
    "category": "Category",
}


def entity_status(word, *, name: str = "EntityStatus") -> str:
    """An EntityStatus in either spelling (wire.md 3.6)."""
    known = {
        "active": EntityStatus.ACTIVE,
        "0": EntityStatus.ACTIVE,
        "disabled": EntityStatus.DISABLED,
        "2": EntityStatus.DISABLED,
    }
    status = known.get(str(word).lower()) if isinstance(word, str | int) else None
    if status is None:
        raise BadValue(
            f'The {name} must be "Active" or "Disabled", not {kind_of(word)}.', target=name
        )
    return status


def version_number(value, *, key: str = "DefaultVersion") -> int:
    """A version number; versions are sent as decimal strings, a bare number is accepted."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadValue(
            f'{key} must be a version number such as "0", not {kind_of(value)}.', target=key
        )
    return int(text)
