"""Reuse: a step with the same code, parameters, inputs and environment as an earlier, completed step gets
that step's result. Its row says why it was or was not reused."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from endpoints.graph import Node
from endpoints.models import Module
from runs.engine.claim import Claim
from runs.engine.finish import finish
from runs.models import Kind, Outcome, Run, StepRun

LABELS = {
    "code": "the code",
    "script": "the script",
    "command": "the command",
    "arguments": "the arguments",
    "environment": "the environment",
    "outputs": "the outputs",
}


def parts_of(
    node: Node,
    module: Module,
    *,
    values: Mapping[str, str],
    secret_names: set[str],
    origins: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that the result of a step depends on. `origins` identifies the data of each input."""
    used = {
        name: node.value(name, values) for name in {**node.module.parameters, **node.assignments}
    }
    hidden = {
        assignment.name
        for assignment in node.assignments.values()
        if assignment.from_graph and assignment.value in secret_names
    }
    return {
        "code": module.snapshot.content_hash if module.snapshot else module.storage_id,
        "script": node.script,
        "command": node.command,
        "arguments": [[argument.kind, argument.value] for argument in node.module.arguments],
        "environment": _digest(
            node.runconfig.get("environment") or module.runconfig or node.runconfig
        ),
        "outputs": sorted(
            [
                name,
                setting.datastore or "",
                setting.path_on_datastore or "",
                (setting.parameter and values.get(setting.parameter.name)) or "",
                setting.register_as or "",
                *setting.only,
            ]
            for name, setting in node.outputs.items()
        ),
        "parameters": {
            name: _keyed_digest(value) if name in hidden else value
            for name, value in sorted(used.items())
            if value is not None
        },
        "inputs": dict(sorted(origins.items())),
    }


def fingerprint(workspace_id: int, parts: Mapping[str, Any]) -> str:
    return _digest([workspace_id, parts])


def _digest(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _keyed_digest(value: str) -> str:
    """A digest that shows that a secret changed, but from which its value cannot be guessed."""
    return salted_hmac("runs.engine.reuse", value, algorithm="sha256").hexdigest()


def find_source(key: str) -> StepRun | None:
    return (
        StepRun.objects.filter(fingerprint=key, is_reuse_source=True)
        .select_related("run__parent")
        .order_by("-run")
        .first()
    )


def why_not(step: StepRun, parts: Mapping[str, Any]) -> str:
    """Why a step that allows reuse was not reused, found by comparing it with the previous run."""
    run = step.run
    of_same = {"pipeline_id": run.owner.pipeline_id}
    if run.owner.pipeline_id is None:
        of_same = {"experiment_id": run.experiment_id}
    previous = (
        Run.objects.filter(kind=Kind.PIPELINE, pk__lt=run.parent_id, **of_same)
        .order_by("-pk")
        .values("pk")[:1]
    )
    before = (
        StepRun.objects.filter(run__parent__in=list(previous.values_list("pk", flat=True)))
        .filter(run__name=run.name)
        .values_list("fingerprint_parts", flat=True)
        .first()
    )
    if not before:
        return "Ran because there is no earlier result."
    changed = _changes(before, parts)
    if not changed:
        return "Ran because the earlier step with the same inputs has no result to reuse."
    return f"Ran because {'; '.join(changed)} changed."


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    changed = [label for key, label in LABELS.items() if before.get(key) != now.get(key)]
    for group, word in (("parameters", "parameter"), ("inputs", "input")):
        old, new = before.get(group) or {}, now.get(group) or {}
        changed += [
            f"{word} {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)
        ]
    return changed


def take_over(claim: Claim, step: StepRun, source: StepRun, *, changes: Mapping[str, Any]) -> bool:
    """Complete a claimed step with the result of `source`."""
    at = timezone.now()
    done = finish(
        claim,
        Outcome.COMPLETED,
        at=at,
        step_changes={
            **changes,
            "reused_from": source,
            "outputs": source.outputs,
            "reuse_reason": f"Reused: nothing it depends on changed since run {source.run.parent}.",
        },
    )
    if done:
        # Clients recognise a reused step by these properties (wire.md 9.1).
        Run.objects.filter(pk=step.pk).update(
            properties={
                **step.run.properties,
                "azureml.reusedrunid": str(source.run.uuid),
                "azureml.reusednodeid": source.node_id,
                "azureml.reusedpipeline": str(source.run.owner.uuid),
            }
        )
    return bool(done)
