"""The environment variables of a step's process. They come from an allow-list, so that none of the studio's
own settings and secrets get in."""

import os
from collections.abc import Iterable

from django.conf import settings

from runs import run_tokens
from runs.engine.claimed_step import Job
from runs.engine.value_lengths import in_arguments
from runs.engine.working_directory import WorkingDirectory
from runs.steps.environments import (
    FEATHERWEIGHT_PATH,
    REAL,
    BuiltEnvironment,
    is_ours,
    workers_pip_settings,
)
from runs.steps.process_limits import left_out, size

# Passed on from the worker's own environment.
PASSED_ON = ("LANG", "LC_ALL", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")


def variables(
    job: Job, folder: WorkingDirectory, built: BuiltEnvironment, wanted: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The variables, and warnings about those of the environment definition (`wanted`) that the step
    does not get."""
    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    found |= {
        name: value
        for name, value in {
            **wanted,
            **job.node.environment_variables(job.values),
            **_ports(folder),
        }.items()
        if not is_ours(name) and "\0" not in f"{name}{value}" and "=" not in name
    }
    ours = {
        "PATH": os.pathsep.join(
            map(str, (folder.packages / "bin", built.bin, os.environ.get("PATH", os.defpath)))
        ),
        "HOME": str(folder.path),
        "VIRTUAL_ENV": str(built.bin.parent),
        "PYTHONUNBUFFERED": "1",  # or the log would arrive in blocks of 8 KiB
        "STUDIO_FACTS_DIR": str(folder.facts),
        **_run(job),
        **_certificates(),
    }
    if "MLFLOW_TRACKING_URI" not in found:  # a step may log to a server of its own
        ours |= _mlflow(job, token=ours["AZUREML_RUN_TOKEN"])
    lost = [
        name
        for name, value in sorted(wanted.items())
        if name != REAL and (is_ours(name) or ours.get(name, value) != value)
    ]
    found |= ours
    found.setdefault("LANG", "C.UTF-8")
    # Scripts in subfolders can import from the root of their source folder, as in v1. That root comes
    # last, because a repository may have a folder `azureml`.
    places = [
        built.needs_featherweight and FEATHERWEIGHT_PATH,
        found.get("PYTHONPATH"),
        folder.code,
    ]
    found["PYTHONPATH"] = os.pathsep.join(str(place) for place in places if place)
    for name, value in workers_pip_settings().items():
        found.setdefault(name, value)
    warnings = [
        f"The environment's variable {name} is not set: the studio sets it." for name in lost
    ]
    return found, warnings + _leave_out_long_ones(job, found, never=ours)


def _leave_out_long_ones(job: Job, found: dict[str, str], *, never: Iterable[str]) -> list[str]:
    """Remove variables that are too long to start a process with; returns warnings about them."""
    in_argument = in_arguments(job.node, job.values)
    parameters = job.node.module.parameters
    first = {
        parameters[name].environment_variable or "" for name in in_argument if name in parameters
    }
    warnings = []
    for name in left_out(found, first=first, never=never):
        length = size(found.pop(name))
        where = " The script gets it in its arguments." if name in first else ""
        warnings.append(
            f"The variable {name} is not set: at {length:,} bytes it is too long to start a process"
            f" with.{where}"
        )
    return warnings


def _run(job: Job) -> dict[str, str]:
    """What `Run.get_context()` needs (wire.md 9.3)."""
    run, workspace = job.tracked_run, job.run.workspace
    token, expires = run_tokens.make(run, attempt=job.claim.attempt)
    return {
        "AZUREML_RUN_ID": str(run.uuid),
        "AZUREML_ROOT_RUN_ID": str(job.run.owner.uuid),
        "AZUREML_RUN_TOKEN": token,
        "AZUREML_RUN_TOKEN_EXPIRY": str(expires),
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": run.experiment.name,
        "AZUREML_SERVICE_ENDPOINT": settings.STUDIO_BASE_URL,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"{settings.STUDIO_BASE_URL}/discovery",
        "AZUREML_WORKSPACE_ID": str(workspace.uuid),
        "AZUREML_EXPERIMENT_ID": str(run.experiment.uuid),
    }


def _mlflow(job: Job, *, token: str) -> dict[str, str]:
    """Variables that make MLflow log to the step's run; the plugin `azureml-mlflow` reads this scheme."""
    run = job.tracked_run
    place = f"{settings.STUDIO_BASE_URL}/mlflow/v2.0{job.run.workspace.scope}"
    return {
        "MLFLOW_TRACKING_URI": place.replace("https:", "azureml:", 1),
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": str(run.uuid),
        "MLFLOW_EXPERIMENT_ID": str(run.experiment.uuid),
        "MLFLOW_EXPERIMENT_NAME": run.experiment.name,
    }


def _ports(folder: WorkingDirectory) -> dict[str, str]:
    """The paths of inputs and outputs (wire.md 10.3), with data references under their older names too."""
    found = dict(folder.inputs)
    if folder.inputs:
        found["AZUREML_DATASET_ENVIRONMENT_VARS"] = ",".join(
            f"{name}:{'Direct' if folder.modes[name] == 'direct' else folder.modes[name]}"
            for name in folder.inputs
        )
    if folder.outputs:
        found["AZUREML_DATASET_FILE_OUTPUTS"] = ";".join(folder.outputs)
    for name, path in folder.outputs.items():
        found[name] = str(path)
    for name, place in folder.ports.items():
        found[f"AZUREML_DATAREFERENCE_{name}"] = place
    return found


def _certificates() -> dict[str, str]:
    if settings.STUDIO_BASE_URL.startswith("https:") and settings.STUDIO_CA_BUNDLE.is_file():
        bundle = str(settings.STUDIO_CA_BUNDLE)
        return {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle}
    return {}
