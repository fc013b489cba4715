"""What somebody asks of a run, whatever it is that runs: the part of a submission that schedules
and drafts store, and that a resubmit starts from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.core.exceptions import ValidationError

from endpoints.services import checks
from runs import sealing
from runs.engine.plan import SNAPSHOT
from runs.models import Kind, Run
from runs.naming import experiment_name


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
    """None is for what was not given; the target then decides.

    `unknown` are keys of a client's body that nothing here reads: a client that stores settings gets
    them back. `remarks` about keys become warnings of the run; a strict endpoint refuses them.
    `assignments` may have sealed values, as they are stored: `opened` is for a run, `masked` for readers.
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
    unknown: Mapping[str, Any] = field(default_factory=dict)
    remarks: Mapping[str, Remark] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RunSettings":
        remarks = {key: Remark(**row) for key, row in stored.get("remarks", {}).items()}
        return cls(**{**stored, "remarks": remarks})

    def as_json(self) -> dict[str, Any]:
        """What was given, in our own words."""
        empty = RunSettings()
        given = {
            row.name: getattr(self, row.name)
            for row in fields(self)
            if getattr(self, row.name) != getattr(empty, row.name)
        }
        if self.remarks:
            given["remarks"] = {key: asdict(remark) for key, remark in self.remarks.items()}
        return given

    @classmethod
    def of(cls, run: Run) -> "RunSettings":
        """The settings with which a run was made; values of secret parameters are sealed."""
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
        return self._assigning(sealing.opened)

    def masked(self) -> "RunSettings":
        return self._assigning(sealing.shown)

    def sealed(self, secret_names: Collection[str]) -> "RunSettings":
        def seal(assignments: Mapping[str, Any]) -> dict[str, Any]:
            plain = {
                name: str(value)
                for name, value in assignments.items()
                if name in secret_names and not sealing.is_sealed(value)
            }
            return {**assignments, **sealing.sealed(plain, secret_names)}

        return self._assigning(seal)

    def to_store(self, earlier: "RunSettings") -> "RunSettings":
        """As the database can hold them. A client that was shown masks of the `earlier` settings may
        send these back, and the sealed values stay."""
        storable = RunSettings.from_json(checks.document("settings", self.as_json()))
        experiment_name(self.experiment)
        known = earlier.assignments or {}
        sealed = {name: value for name, value in known.items() if sealing.is_sealed(value)}

        def value_of(name: str, value: object) -> object:
            if sealing.is_sealed(value) and sealed.get(name) != value:
                raise ValidationError({"assignments": [f"{name[:100]} must be a text."]})
            return sealed[name] if value == sealing.MASK and name in sealed else value

        return storable._assigning(
            lambda given: {name: value_of(name, value) for name, value in given.items()}
        )

    def _assigning(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> "RunSettings":
        if self.assignments is None:
            return self
        return replace(self, assignments=change(self.assignments))
