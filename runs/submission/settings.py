"""What somebody asks of a run, whatever it is that runs: the part of a submission that schedules
and drafts store, and that a resubmit starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runs import sealing
from runs.engine.plan import SNAPSHOT
from runs.models import Kind, Run


@dataclass(frozen=True)
class Remark:
    """What is wrong with a key of a request, and what was done about it if the request is not
    refused."""

    fault: str
    effect: str
    hint: str = ""

    @property
    def warning(self) -> str:
        return f"{self.fault}: {self.effect}.{self.hint}"

    @property
    def refusal(self) -> str:
        return f"{self.fault}.{self.hint}"


@dataclass(frozen=True)
class RunSettings:
    """None is for what was not given: the default of the target, or a generated name.

    `remarks` about keys of the request become warnings of the run; a strict endpoint refuses them.
    """

    experiment: str | None = None
    display_name: str = ""
    description: str = ""
    assignments: Mapping[str, Any] | None = None
    datasets: Mapping[str, Any] | None = None
    datapaths: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] | None = None
    step_tags: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] | None = None
    run_source: str = ""
    run_type: str = ""
    continue_on_step_failure: bool | None = None
    regenerate_outputs: bool = False
    timeout_seconds: int | None = None
    remarks: Mapping[str, Remark] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> "RunSettings":
        """Those that run the same again, with the values of secret parameters sealed."""
        made = run.pipeline_run
        own = {SNAPSHOT: run.properties[SNAPSHOT]} if SNAPSHOT in run.properties else None
        return cls(
            experiment=run.experiment.name,
            description=run.description,
            assignments={
                name: value
                for name, value in made.parameters.items()
                if name not in made.datapaths  # these hold them as texts, too
            },
            datasets=made.datasets,
            datapaths=made.datapaths,
            tags=run.tags,
            properties=own if run.kind == Kind.SCRIPT else None,
            continue_on_step_failure=made.continue_on_step_failure,
            timeout_seconds=made.timeout_seconds,
        )

    @property
    def values(self) -> dict[str, Any]:
        """Everything assigned, by the name of its parameter."""
        return {**(self.assignments or {}), **(self.datasets or {}), **(self.datapaths or {})}

    def opened(self) -> "RunSettings":
        """With the values of secret parameters in the clear, for a run."""
        return replace(self, assignments=sealing.opened(self.assignments or {}))
