"""A run as one JSON document: on its page, and as a file."""

import json

from runs import sealing
from runs.models import Kind, Run


def of(run: Run) -> dict:
    """The run as one JSON document, with secrets masked."""
    found = {
        "id": str(run.uuid),
        "kind": run.kind,
        "displayName": run.display_name,
        "description": run.description,
        "experiment": run.experiment.name,
        "number": run.number,
        "status": run.status,
        "parentId": str(run.parent.uuid) if run.parent else None,
        "submittedBy": run.submitted_by,
        "created": run.created_at.isoformat(),
        "started": run.started_at and run.started_at.isoformat(),
        "finished": run.finished_at and run.finished_at.isoformat(),
        "error": run.error,
        "tags": run.tags,
        "properties": run.properties,
    }
    return found | _submission(run) if run.kind == Kind.PIPELINE else found


def _submission(run: Run) -> dict:
    made = run.pipeline_run
    return {
        "pipelineId": str(run.pipeline.uuid) if run.pipeline else None,
        "pipelineEndpointId": str(run.endpoint.uuid) if run.endpoint else None,
        "pipelineVersion": run.endpoint_version,
        "source": made.source,
        "runSource": made.run_source,
        "runType": made.run_type,
        "parameters": sealing.shown(made.parameters),
        "datasets": made.datasets,
        "dataPaths": made.datapaths,
        "provenance": made.provenance,
        "warnings": made.warnings,
        "continueOnStepFailure": made.continue_on_step_failure,
        "regenerateOutputs": made.regenerate_outputs,
        "timeoutSeconds": made.timeout_seconds,
        "request": made.raw_request,
    }


def as_json(run: Run) -> str:
    return json.dumps(of(run), indent=2, ensure_ascii=False)
