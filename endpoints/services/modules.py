"""Modules: the code and interface of one step (wire.md 8.4)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from endpoints.graph import PYTHON_STEP, ModuleInfo, read_module, write_module, write_runconfig
from endpoints.models import Module, Snapshot
from endpoints.services import checks
from studio.core import audit
from studio.core.access import Actor, require

# Step types of v1 that cannot run here, and what to write instead.
NO_SERVICE = "That service of Azure is not part of the studio: do it in a PythonScriptStep."
NOT_RUN = {
    "AdlaStep": NO_SERVICE,
    "AutoMLStep": "Search in a PythonScriptStep, with a package such as FLAML or auto-sklearn.",
    "AzureBatchStep": "Its executable can be the command of a CommandStep.",
    "DatabricksStep": NO_SERVICE,
    "DataTransferStep": "A PythonScriptStep copies its input to an OutputFileDatasetConfig.",
    "HyperDriveStep": "Submit a run per set of values, each a PipelineParameter.",
    "KustoStep": NO_SERVICE,
    "MpiStep": "A step is one process on one machine here: use a PythonScriptStep.",
    "ParallelRunStep": "Read the batches in one PythonScriptStep, or give a share to each of several.",
    "RScriptStep": "A CommandStep runs Rscript where R is installed on the worker's machine.",
    "SynapseSparkStep": NO_SERVICE,
}


@transaction.atomic
def create_module(
    actor: Actor,
    *,
    name: str,
    structured_interface: Mapping[str, Any],
    description: str = "",
    identifier_hash: str = "",
    is_deterministic: bool = True,
    execution_type: str = "escloud",
    module_type: str = "",
    step_type: str = PYTHON_STEP,
    runconfig: str = "",
    cloud_settings: Mapping[str, Any] | None = None,
    storage_id: str = "",
    is_interface_only: bool = False,
    properties: Mapping[str, Any] | None = None,
) -> Module:
    require(actor, "publish")
    if step_type in NOT_RUN:
        text = f"Steps of type {step_type} cannot be run here. {NOT_RUN[step_type]}"
        raise ValidationError({"step_type": [text]})
    interface = checks.document("structured_interface", structured_interface)
    read_module(interface, name=name, runconfig=runconfig)
    module = Module.objects.create(
        workspace=actor.workspace,
        name=checks.text("name", name, longest=255, required=True),
        description=checks.text("description", description),
        identifier_hash=checks.text("identifier_hash", identifier_hash, longest=200),
        is_deterministic=is_deterministic,
        execution_type=checks.text("execution_type", execution_type, longest=40),
        module_type=checks.text("module_type", module_type, longest=40),
        step_type=checks.text("step_type", step_type, longest=60),
        structured_interface=interface,
        runconfig=checks.text("runconfig", runconfig),
        cloud_settings=checks.document("cloud_settings", cloud_settings)
        if cloud_settings
        else None,
        storage_id=checks.text("storage_id", storage_id, longest=100),
        snapshot=_snapshot(actor, storage_id),
        is_interface_only=is_interface_only,
        properties=checks.document("properties", properties or {}),
        created_by=actor.name,
    )
    audit.record(actor, "create", module)
    return module


def store_module(
    actor: Actor, module: ModuleInfo, *, storage_id: str, identifier_hash: str = ""
) -> Module:
    """The module of a step that was not posted but read from a file or a script's run."""
    return create_module(
        actor,
        name=module.name,
        structured_interface=write_module(module),
        identifier_hash=identifier_hash,
        is_deterministic=module.is_deterministic,
        step_type=module.step_type,
        runconfig=write_runconfig(module.runconfig),
        storage_id=storage_id,
    )


def _snapshot(actor: Actor, storage_id: str) -> Snapshot | None:
    """The snapshot that a StorageId names; None for a module without code."""
    if not storage_id:
        return None
    try:
        found = Snapshot.objects.filter(workspace=actor.workspace, uuid=UUID(storage_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise ValidationError({"storage_id": [f"There is no snapshot {storage_id}."]})
    return found
