"""Outputs that become datasets: when their step completes (`register_on_complete`), or when the next step
reads them as a dataset."""

from collections.abc import Collection
from typing import Any

from endpoints import data, services
from runs.engine.claimed_step import Job
from studio.core.access import Actor, system_actor


def register_outputs(job: Job, *, except_for: Collection[str]) -> dict[str, Any]:
    """Register the outputs that ask for it. Called in the transaction that completes the step; returns the
    changes to its row, where each output gets the id of its dataset."""
    outputs = dict(job.changes.get("outputs") or job.step.outputs)
    for name, setting in job.node.outputs.items():
        if setting.register_as and name in outputs and name not in except_for:
            kind, dataflow = _dataset(job, outputs[name], setting.transformations)
            version = services.register_dataset(
                _actor(job),
                name=setting.register_as,
                dataset_type=kind,
                dataflow=dataflow,
                description=setting.register_description,
                tags=setting.register_tags,
                create_new_version=True,
            )
            outputs[name] = {**outputs[name], "registered": str(version.saved.uuid)}
    return {"outputs": outputs} if outputs else {}


def save_input(job: Job, port: str, place: dict[str, Any]) -> str:
    """Save the output of an earlier step at `place` as a dataset; returns its id. The reading step's
    settings (`PipelineData.as_dataset().parse_parquet_files()`) win over the writing step's."""
    setting = job.graph.nodes[place["node"]].outputs.get(place["port"])
    transformations = job.node.readings.get(port, "")
    if not data.read_transformations(transformations):  # clients may send an empty list
        transformations = setting.transformations if setting else ""
    kind, dataflow = _dataset(job, place, transformations)
    return str(services.save_dataset(_actor(job), dataset_type=kind, dataflow=dataflow).uuid)


def _dataset(job: Job, place: dict[str, Any], transformations: str) -> tuple[str, str]:
    uri = data.datastore_uri(job.run.workspace, place["datastore"], place["path"])
    return data.write_output_dataflow(uri, transformations)


def _actor(job: Job) -> Actor:
    return system_actor(job.run.workspace, job.run.submitted_by or "studio")
