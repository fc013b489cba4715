"""What runs look like on the wire: one function per entity, with its section of wire.md."""

import json
from collections.abc import Collection
from typing import cast

from runs import execution_log, logs, script_runs, sealing
from runs.execution_log import EXECUTION_LOG
from runs.models import Artifact, Experiment, Kind, PipelineRun, Run, StepRun
from runs.serving import unserved
from runs.states import Status, history_status, wire_status
from runs.wire.entity_types import (
    Creator,
    ExperimentDto,
    Person,
    PipelineRunEntity,
    PublicRunEntity,
    RunDetailsDto,
    RunDto,
    RunError,
    Warned,
)
from runs.wire.lineage import lineage, step_of
from studio.core.access import Actor
from studio.core.rest.views import wire_time
from studio.storage import links

ORIGIN = "ExperimentRun"  # of every artifact (wire.md 9.4)
RUN_TYPES: dict[str, str] = {Kind.PIPELINE: "azureml.PipelineRun", Kind.STEP: "azureml.StepRun"}
AUTOSAVED = (
    "Autosave_"  # prefix of the version of an unregistered environment; the run's id follows
)
LOGS = "logs"  # containers of signed addresses
ARTIFACTS = "artifacts"
UPLOADED = "uploaded"  # uploads for models without a run
PUBLIC_KEYS = tuple(PublicRunEntity.__annotations__)


# --- the pipelines service: PascalCase -------------------------------------------------------------
def pipeline_run_entity(run: Run, base: str) -> PipelineRunEntity:
    """PipelineRunEntity (wire.md 7.3)."""
    return pipeline_run_entities([run], base)[0]


def pipeline_run_entities(runs: Collection[Run], base: str) -> list[PipelineRunEntity]:
    waits = unserved(runs)
    return [_pipeline_run_entity(run, base, waits.get(run.pk, [])) for run in runs]


def _pipeline_run_entity(run: Run, base: str, waits: list[str]) -> PipelineRunEntity:
    extra: PipelineRun = run.pipeline_run
    warnings = [*extra.warnings, *map(unserved_warning, waits)]
    return {
        "Id": str(run.uuid),
        "PipelineRunId": str(run.uuid),
        "RunUrl": f"{base}{run.get_absolute_url()}",
        "Description": run.description,
        "DisplayName": run.display_name or None,
        "GraphId": str(extra.graph.uuid),
        "IsSubmitted": extra.submitted_at is not None,
        "HasErrors": run.status == Status.FAILED,
        "HasWarnings": bool(warnings),
        "Warnings": warnings,
        "UploadState": "Completed",
        "ParameterAssignments": sealing.shown(extra.parameters),
        "DataPathAssignments": extra.datapaths,
        "DataSetDefinitionValueAssignments": extra.datasets,
        "RunHistoryExperimentName": run.experiment.name,
        "PipelineId": str(run.pipeline.uuid) if run.pipeline_id else None,
        "PipelineEndpointId": str(run.endpoint.uuid) if run.endpoint_id else None,
        "PipelineEndpointVersion": (
            None if run.endpoint_version is None else str(run.endpoint_version)
        ),
        "RunSource": extra.run_source or None,
        "RunType": extra.run_type or None,
        "TotalRunSteps": total_steps(run),
        "ScheduleId": str(run.schedule.uuid) if run.schedule_id else None,
        "ContinueExperimentOnNodeFailure": extra.continue_on_step_failure,
        "tags": run.tags,
        "Properties": run.properties,
        "EntityStatus": "Active",
        "CreatedBy": _creator(run),
        "CreatedDate": wire_time(run.created_at),
        "LastModifiedDate": wire_time(run.updated_at),
        "Etag": f"{run.updated_at.timestamp():.6f}",
        "Status": {
            "StatusCode": wire_status(run.status),
            "StatusDetail": run.error or None,
            "CreationTime": wire_time(run.created_at),
            "EndTime": wire_time(run.finished_at),
        },
    }


def public_run_entity(run: Run) -> PublicRunEntity:
    """The part of PipelineRunEntity that a public endpoint reveals (wire.md 2.4)."""
    entity = pipeline_run_entity(run, "")
    return cast("PublicRunEntity", {key: entity[key] for key in PUBLIC_KEYS})  # type: ignore[literal-required]


def _creator(run: Run) -> Creator:
    person = _person(run)
    return {
        "UserObjectId": person["userObjectId"],
        "UserTenantId": person["userTenantId"],
        "UserName": person["userName"],
    }


def total_steps(run: Run) -> int:
    if run.pipeline_id:
        return run.pipeline.step_count
    return len(run.pipeline_run.graph.wire.get("ModuleNodes") or [])


def task_status(step: StepRun) -> dict:
    """TaskStatus of one node (wire.md 9.2)."""
    run = step.run
    return {
        "StatusCode": wire_status(run.status, of_node=True),
        "StatusDetail": run.error or None,
        "CreationTime": wire_time(run.created_at),
        "ScheduleTime": wire_time(run.created_at),
        "StartTime": wire_time(run.started_at),
        "EndTime": wire_time(run.finished_at),
        "RunId": str(run.uuid),
        "RequestId": None,
        "ReuseInfo": _reuse_info(step),
        "HasWarnings": bool(step.warnings),
    }


def unserved_warning(queue: str) -> str:
    return (
        f"No worker serves {queue}: the steps sent there wait. Start one on a machine with this"
        f" studio's settings: uv run manage.py worker --queues {queue}"
    )


def _reuse_info(step: StepRun) -> dict | None:
    if step.reused_from_id is None:
        return None
    source = step.reused_from
    return {
        "NodeId": source.node_id,
        "RunId": str(source.run.uuid),
        "PipelineRunId": str(source.run.parent.uuid),
    }


def node_output(output: dict) -> dict:
    """NodeOutput, where one output port left its data (wire.md 9.2)."""
    reference = {
        "RelativePath": output.get("path", ""),
        "AmlDataStoreName": output.get("datastore", ""),
    }
    return {
        "DataTypeId": "AnyDirectory",
        "LogicalSizeInBytes": None,
        "PhysicalSizeInBytes": None,
        "DataLocation": {
            "StorageType": "DataReference",
            "DataReference": {"Type": "AzureBlob", "AzureBlobReference": reference},
        },
    }


# --- run history: camelCase --------------------------------------------------------------------------
def experiment_dto(experiment: Experiment) -> ExperimentDto:
    return {
        "experimentId": str(experiment.uuid),
        "name": experiment.name,
        "description": experiment.description or None,
        "createdUtc": wire_time(experiment.created_at),
        "tags": experiment.tags,
        "archivedTime": wire_time(experiment.archived_at),
    }


def run_dto(run: Run) -> RunDto:
    """RunDto. Needs `experiment`, `parent`, `root`, `user` and `step` at hand (wire.md 9.1)."""
    return {
        "runId": str(run.uuid),
        "rootRunId": str(run.root.uuid if run.root_id else run.uuid),
        "parentRunId": str(run.parent.uuid) if run.parent_id else None,
        "runNumber": run.number,
        "experimentId": str(run.experiment.uuid),
        "dataContainerId": run.data_container_id,
        "runType": _type(run),
        "status": history_status(run.status),
        "name": run.name,
        "displayName": run.display_name or run.name or None,
        "description": run.description or None,
        "target": run.target or None,
        "tags": _tags(run),
        "properties": _properties(run),
        "createdUtc": wire_time(run.created_at),
        "startTimeUtc": wire_time(run.started_at),
        "endTimeUtc": wire_time(run.finished_at),
        "lastModifiedUtc": wire_time(run.updated_at),
        "cancelRequestedUtc": wire_time(run.cancel_requested_at),
        "error": run_error(run),
        "warnings": None,
        "createdBy": _person(run),
        "hidden": False,
    }


def _type(run: Run) -> str:
    """The client's own type for a run that it drives (`Run.add_type_provider`), else one of
    ours."""
    return RUN_TYPES.get(run.kind) or run.properties.get("azureml.runsource") or "azureml.scriptrun"


def _tags(run: Run) -> dict:
    """The client finds a step by two tags (wire.md 9.1), which no change of tags may remove."""
    if run.kind != Kind.STEP:
        return run.tags
    return {
        **run.tags,
        "azureml.nodeid": run.step.node_id,
        "azureml.pipeline": str(run.parent.uuid),
    }


def _properties(run: Run) -> dict:
    known = dict(run.properties)
    if run.kind in RUN_TYPES:
        known["azureml.runsource"] = RUN_TYPES[run.kind]
    if run.kind == Kind.PIPELINE and run.pipeline_id:
        known["azureml.pipelineid"] = str(run.pipeline.uuid)
    if run.kind == Kind.STEP:
        known["azureml.nodeid"] = run.step.node_id
        known["azureml.pipelinerunid"] = str(run.parent.uuid)
        if run.step.reused_from_id:
            source = run.step.reused_from
            known["azureml.isreused"] = "true"
            known["azureml.reusedrunid"] = str(source.run.uuid)
            known["azureml.reusednodeid"] = source.node_id
            known["azureml.reusedpipeline"] = str(source.run.parent.uuid)
    return known


def _person(run: Run) -> Person:
    return {
        "userObjectId": str(run.user.uuid) if run.user_id else None,
        "userTenantId": "studio",
        "userName": run.submitted_by or None,
    }


def run_error(run: Run) -> RunError | None:
    """The error that ends a wait; `details` is always a list (wire.md 9.2)."""
    if not run.error and run.status != Status.FAILED:
        return None
    return {
        "error": {
            "code": run.error_code or "UserError",
            "message": run.error or "The run failed.",
            "details": [],
        }
    }


def run_details(run: Run, base: str, *, by: Actor) -> RunDetailsDto:
    """Details, with an address per log that needs no token (wire.md 9.2)."""
    dto = run_dto(run)
    step = step_of(run)
    datasets = lineage(step)
    return {
        "runId": dto["runId"],
        "target": dto["target"],
        "status": dto["status"],
        "startTimeUtc": dto["startTimeUtc"],
        "endTimeUtc": dto["endTimeUtc"],
        "error": dto["error"],
        "properties": dto["properties"],
        "warnings": _warnings(run, step),
        "inputDatasets": datasets["inputDatasets"],
        "outputDatasets": datasets["outputDatasets"],
        "runDefinition": run_definition(run),
        "logFiles": log_files(run, base, by=by),
        "submittedBy": run.submitted_by or None,
    }


def _warnings(run: Run, step: StepRun | None) -> list[Warned]:
    texts = list(step.warnings) if step else []
    if hasattr(run, "pipeline_run"):
        texts += run.pipeline_run.warnings
    texts += map(unserved_warning, unserved([run]).get(run.pk, []))
    return [{"source": "studio", "message": str(text)} for text in texts]


def run_definition(run: Run) -> dict | None:
    """The Runconfig of a run. Its environment can be read by name and version even if it was never
    registered (wire.md 9.6)."""
    definition = _runconfig(run)
    environment = definition.get("environment") if isinstance(definition, dict) else None
    if not isinstance(environment, dict):
        return definition
    known = {
        "name": environment.get("name") or f"Experiment {run.experiment.name} Environment",
        "version": environment.get("version") or f"{AUTOSAVED}{run.uuid}",
    }
    return {**definition, "environment": {**environment, **known}}


def _runconfig(run: Run) -> dict | None:
    """The Runconfig of the step's node; a script's run has one node."""
    if script_runs.has_step(run):
        graph, node_id = run.pipeline_run.graph, None
    elif run.kind == Kind.STEP:
        graph, node_id = run.parent.pipeline_run.graph, run.step.node_id
    else:
        return None
    for node in graph.wire.get("ModuleNodes") or []:
        if node_id in (None, node.get("Id")):
            try:
                return json.loads(node.get("Runconfig") or "null")
            except (TypeError, ValueError):
                return None
    return None


def log_files(run: Run, base: str, *, by: Actor) -> dict[str, str]:
    """`{name: signed address}`. A reused step shows the logs of the original step, but its own
    execution log."""
    owner = log_owner(run)
    owners = dict.fromkeys(logs.log_names(owner.uuid), owner)
    if run.kind in execution_log.KINDS:
        owners[EXECUTION_LOG] = run
    return {
        name: links.signed(base, LOGS, f"{row.uuid}/{name}", by=by) for name, row in owners.items()
    }


def log_owner(run: Run) -> Run:
    if run.kind == Kind.STEP and run.step.reused_from_id:
        return run.step.reused_from.run
    return run


# --- artifacts: camelCase ----------------------------------------------------------------------------
def artifact_dto(run: Run, path: str, *, artifact: Artifact | None = None) -> dict:
    """ArtifactDto (wire.md 9.4)."""
    container = run.data_container_id
    return {
        "artifactId": f"{ORIGIN}/{container}/{path}",
        "origin": ORIGIN,
        "container": container,
        "path": path,
        "createdTime": wire_time(artifact.created_at) if artifact else None,
        "etag": str(artifact.uuid) if artifact else None,
    }


def content_info(run: Run, path: str, uri: str) -> dict:
    """Where one artifact is read or written (wire.md 9.4)."""
    return {
        "contentUri": uri,
        "origin": ORIGIN,
        "container": run.data_container_id,
        "path": path,
    }
