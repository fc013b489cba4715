"""The submission stored with a schedule: the posted one, with the values of secret parameters
sealed. Callers see masks instead, and may send these back."""

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from runs import sealing
from runs.naming import experiment_name
from runs.submission import keys
from runs.submission.settings import RunSettings
from studio.core.rest.bodies import Body


def read(submission: Mapping[str, Any]) -> RunSettings:
    """What it asks of each run."""
    body = Body(submission, name="PipelineSubmissionInfo")
    return RunSettings(
        experiment=experiment_name(body.text("ExperimentName")),
        description=body.text("Description"),
        assignments=_opened(body.mapping("ParameterAssignments")),
        datasets=body.mapping("DataSetDefinitionValueAssignments"),
        datapaths=body.mapping("DataPathAssignments"),
        tags=body.texts("tags"),
        step_tags=keys.step_tags(body),
        properties=body.texts("Properties"),
        run_source=body.text("RunSource", longest=100),
        continue_on_step_failure=keys.continue_on_step_failure(body),
        remarks=keys.remarks_of_kept(body),
    )


def shown(submission: Mapping[str, Any]) -> dict[str, Any]:
    """The submission with masks, for callers."""
    return {
        key: {name: sealing.MASK if _is_sealed(item) else item for name, item in value.items()}
        if _is_assignments(key, value)
        else value
        for key, value in submission.items()
    }


def unmasked(submission: Mapping[str, Any], *, known: Mapping[str, Any]) -> dict[str, Any]:
    """The submission of a client that was shown masks, with the sealed values put back."""
    earlier = Body(known).mapping("ParameterAssignments")
    sealed = {name: value for name, value in earlier.items() if _is_sealed(value)}

    def value_of(name: str, value: object) -> object:
        if _is_sealed(value) and sealed.get(name) != value:
            raise ValidationError({"ParameterAssignments": [f"{name[:100]} must be a text."]})
        return sealed[name] if value == sealing.MASK and name in sealed else value

    return {
        key: {name: value_of(name, item) for name, item in value.items()}
        if _is_assignments(key, value)
        else value
        for key, value in submission.items()
    }


def sealed(submission: Mapping[str, Any], secret_names: Collection[str]) -> dict[str, Any]:
    return {
        key: _sealed(value, secret_names) if _is_assignments(key, value) else value
        for key, value in submission.items()
    }


def _is_assignments(key: str, value: object) -> bool:
    return str(key).lower() == "parameterassignments" and isinstance(value, Mapping)


def _is_sealed(value: object) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secret"}


def _sealed(assignments: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    plain = {name: value for name, value in assignments.items() if not _is_sealed(value)}
    secret = {name: str(value) for name, value in plain.items() if name in names}
    return {**assignments, **sealing.sealed(secret, names)}


def _opened(assignments: Mapping[str, Any]) -> dict[str, Any]:
    sealed = {name: value for name, value in assignments.items() if _is_sealed(value)}
    return {**assignments, **sealing.opened(sealed)}
