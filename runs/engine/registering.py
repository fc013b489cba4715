"""Outputs that ask to become registered datasets when their step completes (`register_on_complete`)."""

from collections.abc import Collection

from endpoints import data, services
from runs.engine.job import Job
from studio.core.access import system_actor


def register_outputs(job: Job, *, except_for: Collection[str]) -> None:
    for name, setting in job.node.outputs.items():
        if setting.register_as and name in job.step.outputs and name not in except_for:
            place = job.step.outputs[name]
            address = f"azureml://datastores/{place['datastore']}/paths/{place['path']}/**"
            services.register_dataset(
                system_actor(job.run.workspace, job.run.submitted_by or "studio"),
                name=setting.register_as,
                dataset_type="file",
                dataflow=data.write_dataflow([address], tabular=False),
                create_new_version=True,
            )
