"""How a run of the past went: from how long its steps took and which failed, every status change in the order in
which the engine would have made it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from runs.engine.plan import NEEDS_NONE
from runs.models import Kind, Outcome, PipelineRun, Run, StatusChange, StepAttempt, StepRun
from runs.states import TERMINAL, Status

WAIT, PREPARE, CANCEL = (timedelta(milliseconds=ms) for ms in (140, 620, 1300))
RETRY_DELAY = timedelta(seconds=2)
CANCELED = "canceled by "
RAN = "Ran because reuse is not allowed for this step."
RAN_AGAIN = "Ran because there is no earlier result."
S = Status


@dataclass(frozen=True)
class Logged:
    """A metric. A point of an image is the path of an artifact."""

    name: str
    points: Sequence[Mapping[str, Any]]
    columns: Mapping[str, str]
    kind: str = "azureml.v1.scalar"


@dataclass(frozen=True)
class Ending:
    """How a step went: `errors` of its failed attempts, and whether the last one `succeeds`; what its
    script printed, logged and stored; the earlier step whose result it took over, if it did not run."""

    seconds: float = 3.0
    errors: tuple[str, ...] = ()
    succeeds: bool = True
    log: Callable[[datetime, datetime], str] | None = None  # between the script's start and its end
    metrics: tuple[Logged, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    reused: StepRun | None = None


@dataclass
class Played:
    changes: list[StatusChange] = field(default_factory=list)
    attempts: list[StepAttempt] = field(default_factory=list)


def play(
    run: Run,
    made: PipelineRun,
    steps: Sequence[StepRun],
    endings: Mapping[str, Ending],
    *,
    worker: str,
    canceled_after: float | None = None,
) -> Played:
    """Write into the rows how the run went; returns what belongs to it. `endings` are by a step's name. It is
    canceled so many seconds after its begin, unless it is over or has failed by then."""
    tracks = _tracks(run, steps, endings, worker)
    stop, why = _stop(run, made, tracks, canceled_after)
    for track in tracks:
        track.stop_at(stop, why)
    changes = [change for track in tracks for change in track.changes]
    changes += _of_run(run, tracks, why if why.startswith(CANCELED) else "", stop)
    for row in (run, *(step.run for step in steps)):
        row.updated_at = row.finished_at or row.updated_at
    played = Played(sorted(changes, key=lambda change: change.at))
    played.attempts = [attempt for track in tracks for attempt in track.attempts]
    return played


class Track:
    """What happens to one step."""

    def __init__(self, step: StepRun, ending: Ending, worker: str):
        self.step, self.run, self.ending, self.worker = step, step.run, ending, worker
        self.changes: list[StatusChange] = []
        self.attempts: list[StepAttempt] = []
        self.status = Status(S.NOT_STARTED)

    def move(self, to: Status, at: datetime, reason: str = "") -> None:
        self.changes.append(
            StatusChange(run=self.run, from_status=self.status, to_status=to, at=at, reason=reason)
        )
        self.status = to

    def goes(self, parents: Sequence["Track"]) -> None:
        """From its queue to its end, if nothing stops it."""
        self.run.status = S.NOT_STARTED
        at = max((parent.end for parent in parents), default=self.run.created_at)
        if any(parent.status != S.COMPLETED for parent in parents):
            self.move(S.SKIPPED, at, "a step it depends on did not complete")
            return
        self.move(S.QUEUED, at, "all steps it depends on completed" if parents else NEEDS_NONE)
        outcomes = [*self.ending.errors, *([""] if self.ending.succeeds else [])]
        for number, error in enumerate(outcomes, start=1):
            at = self._try(number, at + WAIT, error, is_last=number == len(outcomes))

    def _try(self, number: int, at: datetime, error: str, *, is_last: bool) -> datetime:
        self.move(S.PREPARING, at, f"attempt {number} on {self.worker}")
        attempt = StepAttempt(step=self.step, number=number, worker=self.worker, started_at=at)
        self.attempts.append(attempt)
        if self.ending.reused is not None:
            end = at + WAIT
        else:
            self.move(S.RUNNING, at + PREPARE, f"started on {self.worker}")
            end = at + PREPARE + timedelta(seconds=self.ending.seconds)
        attempt.finished_at = end
        attempt.outcome = Outcome.FAILED if error else Outcome.COMPLETED
        attempt.exit_code = None if self.ending.reused else int(bool(error))
        attempt.error = error
        if not error:
            self.move(S.COMPLETED, end)
        elif is_last:
            self.move(S.FAILED, end, error[:500])
        else:
            self.move(S.QUEUED, end, f"{Outcome.FAILED.label}: {error}"[:500])
            return end + RETRY_DELAY
        return end

    @property
    def end(self) -> datetime:
        return self.changes[-1].at

    def stop_at(self, stop: datetime | None, why: str) -> None:
        """Undo what had not happened by then, cancel what was not over, and set the columns."""
        if stop is not None and (not self.changes or self.end > stop):
            self.changes = [change for change in self.changes if change.at <= stop]
            self.status = Status(self.changes[-1].to_status) if self.changes else S.NOT_STARTED
            self.attempts = [each for each in self.attempts if each.started_at <= stop]
            self._cancel(stop, why)
        self._write()

    def _cancel(self, stop: datetime, why: str) -> None:
        if self.status in (S.NOT_STARTED, S.QUEUED):
            self.move(S.CANCELED, stop, why)
            return
        self.run.cancel_requested_at = stop
        self.move(S.CANCEL_REQUESTED, stop, why)
        self.move(S.CANCELED, stop + CANCEL, "The step was canceled.")
        last = self.attempts[-1]
        last.finished_at, last.outcome, last.exit_code = stop + CANCEL, Outcome.CANCELED, -15
        last.error = "The step was canceled."

    def _write(self) -> None:
        row, step, last = self.run, self.step, self.attempts[-1] if self.attempts else None
        row.status, row.finished_at = self.status, self.end
        row.attempt = len(self.attempts)
        row.started_at = next((c.at for c in self.changes if c.to_status == S.RUNNING), None)
        step.retries_used = max(0, row.attempt - 1)
        step.exit_code = last.exit_code if last else None
        if self.status == S.FAILED and last is not None:
            row.error, row.error_code = last.error, "UserError"
        if last is not None and self.ending.reused is None:
            step.reuse_reason = RAN_AGAIN if step.module and step.module.is_deterministic else RAN
        if self.status == S.COMPLETED and self.ending.reused is not None:
            _take_over(step, self.ending.reused)


def _take_over(step: StepRun, source: StepRun) -> None:
    """As `runs.engine.reuse.take_over` does."""
    step.reused_from, step.outputs = source, source.outputs
    step.reuse_reason = f"Reused: nothing it depends on changed since run {source.run.parent}."
    step.run.properties |= {
        "azureml.reusedrunid": str(source.run.uuid),
        "azureml.reusednodeid": source.node_id,
        "azureml.reusedpipeline": str(source.run.owner.uuid),
    }


def _tracks(
    run: Run, steps: Sequence[StepRun], endings: Mapping[str, Ending], worker: str
) -> list[Track]:
    found: dict[str, Track] = {}
    for step in steps:  # parents come before their children
        step.run.created_at = step.run.updated_at = run.created_at
        track = Track(step, endings.get(step.run.name, Ending()), worker)
        track.goes([found[need] for need in step.needs])
        found[step.node_id] = track
    return list(found.values())


def _stop(
    run: Run, made: PipelineRun, tracks: Sequence[Track], canceled_after: float | None
) -> tuple[datetime | None, str]:
    """When and why the rest of the run is canceled."""
    failed = [track for track in tracks if track.status == S.FAILED]
    first = min(failed, key=lambda track: track.end, default=None)
    if canceled_after is not None:
        at = run.created_at + timedelta(seconds=canceled_after)
        over = first.end if first else max(track.end for track in tracks)
        if at < over:
            return at, f"{CANCELED}{run.submitted_by}"
    if first is None or made.continue_on_step_failure:
        return None, ""
    return first.end, f"step {first.run.name} failed"


def _of_run(
    run: Run, tracks: Sequence[Track], canceled: str, stop: datetime | None
) -> list[StatusChange]:
    begun = min((each.started_at for track in tracks for each in track.attempts), default=None)
    failed = [track for track in tracks if track.status == S.FAILED]
    end = max((track.end for track in tracks), default=run.created_at)
    path: list[tuple[Status, datetime, str]] = []
    if begun is not None or not tracks:
        run.started_at = begun or run.created_at
        path.append((S.RUNNING, run.started_at, "its first step started"))
    if canceled and stop is not None:
        run.cancel_requested_at = stop
        path += [(S.CANCEL_REQUESTED, stop, canceled), (S.CANCELED, end, "")]
    elif failed:
        first = min(failed, key=lambda track: track.end)
        run.error = f"Step {first.run.name} failed: {first.run.error}"
        run.error_code = "UserError"
        path.append((S.FAILED, end, run.error[:500]))
    else:
        path.append((S.COMPLETED, end, ""))
    changes, before = [], Status(S.NOT_STARTED)
    for to, at, reason in path:
        changes.append(
            StatusChange(run=run, from_status=before, to_status=to, at=at, reason=reason)
        )
        before = to
    run.status, run.finished_at = before, end
    assert run.kind == Kind.PIPELINE and before in TERMINAL  # noqa: S101 - no worker may find it
    return changes
