"""Executes a claimed step: prepare its folder and environment, run it, store its results, write its end."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from runs.engine import cleanup, delivery, output_datasets
from runs.engine import working_directory as folders
from runs.engine.claim import Claim
from runs.engine.environment_variables import variables
from runs.engine.finish import Finished, finish
from runs.engine.job import Job, decide, load
from runs.engine.log_capture import LogCapture
from runs.engine.outages import GivenUp, OutageRetry, after_outage, is_outage
from runs.engine.step_reports import MAX_WARNINGS, StepReports, script_error
from runs.logs import BUILD_LOG, DRIVER_LOG, LogWriter
from runs.models import Outcome, Run
from runs.states import IN_PROGRESS, Status
from runs.steps import RUNNERS, Order, StepRefused, Stop, StopFlag
from runs.steps.environments import (
    BuildFailed,
    BuildStopped,
    BuiltEnvironment,
    EnvironmentRefused,
    EnvironmentSpec,
    ensure,
    parse,
)
from runs.steps.process import Ended, StepProcess, start
from runs.steps.reasons import last_words
from runs.tracking import artifacts
from runs.tracking.author import Author, Superseded
from runs.tracking.model_files import ModelFiles
from studio.core import file_names
from studio.core.console import plain
from studio.core.errors import Refused, text_of
from studio.storage.failures import StoreFailed

WRITE_SECONDS = 60.0  # how long a stopping worker waits for the database
# How long the log and the files of a stopped step may take to be stored.
AFTER_STOP_SECONDS = {Stop.CANCELED: 2.0, Stop.TIMED_OUT: 60.0}
AFTER_STOP_SECONDS_AT_LEAST = 1.0
AWAY = (OperationalError, InterfaceError)  # raised while the database is unavailable
STOP_SECONDS = 1.0  # between SIGTERM and SIGKILL when the worker itself has to stop

logger = logging.getLogger(__name__)


class Watchdog(Protocol):
    """Kills the step if this process dies or hangs and cannot do it itself."""

    def watch(self, group: int, mark: str) -> None: ...

    def forget(self, group: int) -> None: ...

    def may_have_killed(self) -> bool:
        """Whether this process was silent for so long that the watchdog may have killed its steps."""


@dataclass
class Result:
    outcome: Outcome
    exit_code: int | None = None
    error: str = ""
    code: str = "UserError"
    warnings: list[str] = field(default_factory=list)
    may_be_reused: bool = False
    is_last: bool = False
    running_since: datetime | None = None
    step_changes: dict[str, Any] = field(default_factory=dict)
    on_complete: Callable[[], Mapping[str, Any]] = dict


OUTCOMES = {
    Stop.CANCELED: Outcome.CANCELED,
    Stop.TIMED_OUT: Outcome.TIMED_OUT,
    Stop.INTERRUPTED: Outcome.INTERRUPTED,
    Stop.LOST: Outcome.LOST,
    Stop.SUPERSEDED: Outcome.INTERRUPTED,
}


def execute(
    claim: Claim,
    flag: StopFlag,
    watchdog: Watchdog,
    *,
    claim_ahead: Callable[[], Claim | None] = lambda: None,
) -> Finished:
    """Execute a claimed step and write its end, unless the claim was lost meanwhile.

    `claim_ahead` may claim the caller's next step in the transaction that writes a plain end."""
    try:
        job = load(claim)
        if job.step.delivery is None and decide(job):
            return Finished(True)
        result = Attempt(job, flag, watchdog).result()
        result.step_changes = job.changes
        result.is_last = job.is_last
        result.on_complete = job.on_complete
    except Exception as error:
        logger.exception("step %s attempt %s raised an error", claim.step_id, claim.attempt)
        result = Result(Outcome.FAILED, error=f"The studio failed: {error}", code="ServiceError")
        if isinstance(error, AWAY) and is_outage(error):
            after_outage()
            # Raised only before the process started or when the worker stops: running it again is safe.
            result = Result(Outcome.INTERRUPTED, error=f"The database failed: {error}")
    return _write(
        claim,
        flag,
        lambda: finish(
            claim,
            result.outcome,
            exit_code=result.exit_code,
            error=result.error,
            code=result.code,
            may_be_reused=result.may_be_reused,
            is_last=result.is_last,
            running_since=result.running_since,
            step_changes={**result.step_changes, "warnings": result.warnings},
            on_complete=result.on_complete,
            claim_ahead=claim_ahead,
        ),
    )


def _write(claim: Claim, flag: StopFlag, write: Callable[[], Finished]) -> Finished:
    """Write the end of an attempt. If the database refuses it, write a failure with a plain text instead:
    the same write would be refused every time, and `recover` would run the step again each time."""
    try:
        return _write_in_time(flag, write)
    except GivenUp:
        raise
    except Exception as error:
        logger.exception("the end of step %s cannot be written", claim.step_id)
        text = f"The studio could not write how the step ended ({type(error).__name__})."
        code = "ServiceError"
        if isinstance(error, Refused | ValidationError):  # raised by registering a dataset
            text, code = text_of(error), "UserError"
        write_failure = partial(finish, claim, Outcome.FAILED, error=text, code=code)
        return _write_in_time(flag, write_failure)


def _write_in_time(flag: StopFlag, write: Callable[[], Finished]) -> Finished:
    """Retry until the database is back: without a written end the run would hang. `write` itself checks
    whether the attempt is still ours."""
    try:
        if not flag:
            return OutageRetry(flag)(write)
    except GivenUp:
        pass  # the step was stopped, but its end must still be written
    return OutageRetry(flag, seconds=WRITE_SECONDS)(write)


class Attempt:
    """One try of one step on this machine."""

    def __init__(self, job: Job, flag: StopFlag, watchdog: Watchdog):
        self.job = job
        self.flag = flag
        self.watchdog = watchdog
        self.warnings: list[str] = []
        self.unstorable: list[str] = []  # files whose names cannot be stored
        self.running_since: datetime | None = (
            None  # None again once the start is written to the row
        )
        self.retry = OutageRetry(flag, is_ours=self._is_ours, on_outage=self._show_waiting)

    def result(self) -> Result:
        try:
            result = self._run() if self.job.step.delivery is None else self._resume()
        except GivenUp:
            self.flag.ask(Stop.SUPERSEDED)
            result = self._stopped(None)
        except (BuildStopped, StepRefused, EnvironmentRefused) as error:
            result = Result(Outcome.FAILED, error=getattr(error, "message", str(error)))
        except BuildFailed as error:
            code = "ServiceError" if error.is_ours else "UserError"
            result = Result(Outcome.FAILED, error=error.message, code=code)
        except (Refused, ValidationError) as error:
            result = Result(Outcome.FAILED, error=text_of(error))
        if self.flag and result.outcome == Outcome.FAILED:
            result = self._stopped(result.exit_code)
        result.warnings = [*self.warnings, *result.warnings]
        result.running_since = self.running_since
        result.may_be_reused = self.job.may_be_reused and result.outcome == Outcome.COMPLETED
        return result

    def _resume(self) -> Result:
        warnings, error = delivery.resume(self.job, retry=self.retry)
        self.warnings += warnings
        return Result(Outcome.FAILED if error else Outcome.COMPLETED, 0, error)

    def _run(self) -> Result:
        spec = parse(
            self.job.node.runconfig.get("environment"), real_azureml=settings.STUDIO_REAL_AZUREML
        )
        if self.job.claim.attempt > 1:
            cleanup.end_earlier(self.job.run.uuid, self.job.claim.attempt)
        built = self._build(spec)
        folder = folders.make(self.job)
        try:
            self.warnings += folder.warnings
            return self._run_in(folder, spec, built)
        finally:
            cleanup.CLEANER.add(folder.path)

    def _build(self, spec: EnvironmentSpec) -> BuiltEnvironment:
        """Build the step's environment and store the build log, if anything was built."""
        lines: list[str] = []
        writer = LogWriter(self.job.tracked_run.uuid, BUILD_LOG, attempt=self.job.claim.attempt)
        written_at = time.monotonic()

        def say(line: str) -> None:
            nonlocal written_at
            lines.append(line)
            if time.monotonic() - written_at > 1:
                write_soon()
                written_at = time.monotonic()

        def write() -> None:
            if lines:
                writer.write("".join(f"{line}\n" for line in lines).encode())
                lines.clear()

        def write_soon() -> None:
            with suppress(StoreFailed):
                write()

        try:
            built = ensure(
                spec,
                root=settings.STUDIO_ENVS_DIR,
                log=say,
                should_stop=lambda: bool(self.flag),
            )
        except BuildFailed as failure:
            self.warnings += failure.warnings
            raise
        finally:
            write_soon()
            if not self.flag:
                self.retry(write)
        self.warnings += built.warnings
        return built

    def _run_in(
        self, folder: folders.Folder, spec: EnvironmentSpec, built: BuiltEnvironment
    ) -> Result:
        job = self.job
        given, warnings = variables(job, folder, built, dict(spec.variables))
        self.warnings += warnings
        order = Order(
            name=job.node.name,
            python=built.python,
            code=folder.code,
            script=job.node.script,
            command=folders.command(job, folder),
            arguments=folders.arguments(job, folder),
            variables=given,
        )
        runner = RUNNERS.get(job.module.step_type)
        if runner is None:
            raise StepRefused(f"Steps of type {job.module.step_type} cannot be run here.")
        argv = runner.argv(order)
        if self.flag:
            return self._stopped(None)
        log = LogCapture(
            folder.log, LogWriter(job.tracked_run.uuid, DRIVER_LOG, attempt=job.claim.attempt)
        )
        reports = StepReports(folder.facts, job.author, job.tracked_run, job.tracked_run.parent)
        ended = self._process(argv, order, folder, lambda: self._show_progress(log, reports))
        self.flag.process_is_over = True
        if ended.stop is None:
            self._store_results(folder, log, reports, self.retry)
        else:
            seconds = AFTER_STOP_SECONDS.get(ended.stop, AFTER_STOP_SECONDS_AT_LEAST)
            with suppress(GivenUp, StoreFailed):
                retry = OutageRetry(self.flag, seconds=seconds)
                retry(lambda: log.copy(is_last=True))
                if ended.stop != Stop.SUPERSEDED:
                    self._store_results(folder, log, reports, retry)
        result = self._result_of(ended, folder, log, reports)
        if result.outcome == Outcome.COMPLETED:
            self._store_outputs(folder)
        return result

    def _show_progress(self, log: LogCapture, reports: StepReports) -> None:
        """Publish log and reports while the step runs; after an outage the next tick tries again."""
        showing: list[Callable[[], object]] = [log.copy, reports.apply]
        if self.running_since is not None:
            showing.append(self._show_running)
        for show in showing:
            try:
                show()
            except Exception as error:
                if not is_outage(error):
                    raise
                logger.warning("a step's log and reports are delayed: %s", error)
                after_outage()

    def _store_results(
        self, folder: folders.Folder, log: LogCapture, reports: StepReports, retry: OutageRetry
    ) -> None:
        """Store log, reports and artifacts, however the step ended."""
        retry(lambda: log.copy(is_last=True))
        while not retry(reports.apply):
            pass
        problems: list[str] = []
        store = partial(store_artifacts, self.job.tracked_run, self.job.author, folder.code)
        self.unstorable = store(problems, retry=retry)
        self.warnings += dict.fromkeys([*reports.warnings, *problems])

    def _is_ours(self) -> bool:
        step = Run.objects.filter(pk=self.job.step.pk, attempt=self.job.claim.attempt)
        return step.filter(status__in=IN_PROGRESS).exists()

    def _show_waiting(self, why: str) -> None:
        """Show why a step whose process is over has not ended yet, so that somebody can help."""
        if self.running_since is not None:
            self._show_running()
        Run.objects.transition(
            self.job.step.pk,
            to=Status.FINALIZING,
            was=Status.RUNNING,
            attempt=self.job.claim.attempt,
            reason=f"storing its results is retried until it works: {why}",
        )

    def _show_running_at_last(self) -> None:
        """Called when the step has run for a while; the end of a shorter step writes its start, too."""
        with suppress(*AWAY):  # `_show_progress` tries again
            self._show_running()

    def _show_running(self) -> None:
        ours = Run.objects.transition(
            self.job.step.pk,
            to=Status.RUNNING,
            was=Status.PREPARING,
            attempt=self.job.claim.attempt,
            at=self.running_since,
            reason=f"started on {self.job.claim.worker}",
        )
        self.running_since = None
        if not ours:  # canceled or taken over while it was being prepared
            asked = Run.objects.filter(pk=self.job.step.pk, status=Status.CANCEL_REQUESTED)
            self.flag.ask(Stop.CANCELED if asked.exists() else Stop.SUPERSEDED)

    def _process(
        self,
        argv: Sequence[str],
        order: Order,
        folder: folders.Folder,
        on_tick: Callable[[], object],
    ) -> Ended:
        warm = order.python if argv[0] == str(order.python) else None
        child = start(argv, cwd=folder.code, env=order.variables, log=folder.log, warm=warm)
        process = StepProcess(child, mark=cleanup.mark_of(folder.path))
        self.watchdog.watch(process.group, process.mark)
        self.running_since = timezone.now()
        limit = self.job.step.timeout_seconds
        try:
            ended = process.wait(
                self.flag,
                on_lasting=self._show_running_at_last,
                on_tick=on_tick,
                grace_seconds=self._grace,
                deadline=time.monotonic() + limit if limit else None,
            )
        finally:
            self.watchdog.forget(process.group)
        killed = ended.stop is None and (ended.exit_code is None or ended.exit_code < 0)
        # The time-out may have passed only because this worker was paused.
        if (killed or ended.stop == Stop.TIMED_OUT) and self.watchdog.may_have_killed():
            self.flag.ask(Stop.INTERRUPTED)
            return Ended(ended.exit_code, Stop.INTERRUPTED)
        if killed and ended.exit_code is None:
            self.flag.ask(Stop.LOST)
            return Ended(None, self.flag.reason)
        return ended

    def _grace(self) -> float:
        """A canceled step gets time to clean up; a stopping worker cannot wait that long."""
        if self.flag.reason in (Stop.CANCELED, Stop.TIMED_OUT):
            return float(settings.STUDIO_CANCEL_GRACE_SECONDS)
        return STOP_SECONDS

    def _result_of(
        self, ended: Ended, folder: folders.Folder, log: LogCapture, reports: StepReports
    ) -> Result:
        if ended.stop is not None:
            return self._stopped(ended.exit_code, ended.stop)
        if ended.exit_code == 0 and reports.status and reports.status.get("status") == "Failed":
            text = plain(
                str(reports.status.get("message") or "The script declared its run failed.")
            )
            return Result(Outcome.FAILED, 0, text, str(reports.status.get("code") or "UserError"))
        if ended.exit_code == 0:
            return Result(Outcome.COMPLETED, 0)
        how = f"The process ended with exit code {ended.exit_code}."
        words = script_error(folder.facts) or last_words(log.tail())
        if ended.exit_code is not None and ended.exit_code < 0:
            # The last line of its log says nothing about the signal.
            how = f"The process was ended by signal {-ended.exit_code}."
            words = f"{how}\n{words}".strip()
        return Result(Outcome.FAILED, ended.exit_code, words or how)

    def _stopped(self, exit_code: int | None, reason: Stop | None = None) -> Result:
        texts = {
            Stop.CANCELED: "The step was canceled.",
            Stop.TIMED_OUT: f"The step's time-out of {self.job.step.timeout_seconds} s has passed.",
            Stop.INTERRUPTED: "The worker was stopped.",
            Stop.LOST: "The interpreter that had started it was killed.",
            Stop.SUPERSEDED: "",
        }
        reason = reason or self.flag.reason or Stop.SUPERSEDED
        return Result(OUTCOMES[reason], exit_code, texts[reason], code=reason.value)

    def _store_outputs(self, folder: folders.Folder) -> None:
        folders.check_inputs(folder)
        missing, left_out = folders.store_outputs(self.job, folder, retry=self.retry)
        self.warnings += missing.values()
        self.job.on_complete = partial(
            output_datasets.register_outputs, self.job, except_for=tuple(missing)
        )
        error = _unstorable_error([*self.unstorable, *left_out])
        if not error or not self.job.has_retries:  # else the next attempt makes all outputs again
            delivery.deliver(
                self.job,
                missing=missing.keys(),
                warnings=self.warnings,
                retry=self.retry,
                error=error,
            )
        if error:
            raise StepRefused(error)


def _unstorable_error(left_out: list[str]) -> str:
    """The error of a step that left files whose names cannot be stored; empty if there are none."""
    if not left_out:
        return ""
    shown = ", ".join(map(file_names.shown, left_out[:MAX_WARNINGS]))
    files = "1 file" if len(left_out) == 1 else f"{len(left_out)} files"
    return (
        f"Everything was stored except {files} with a name that cannot be stored: {shown}."
        " Names must be valid UTF-8 and not too long."
    )


def store_artifacts(
    run: Run, author: Author, code: Path, warnings: list[str], *, retry: OutageRetry
) -> list[str]:
    """Store `./outputs` and `./logs` as artifacts, also if the step failed.

    Adds a warning to `warnings` for each file that cannot be stored; returns the files whose names the
    database cannot hold."""
    left_out = []
    models = ModelFiles(run)
    for top in ("outputs", "logs"):
        if (code / top).is_symlink():
            warnings.append(f"The folder {top} was not kept: it is a link.")
            continue
        for folder, _, files in os.walk(code / top):
            for name in files:
                path = Path(folder, name)
                if path.is_symlink() or not path.is_file():
                    continue
                name_of = str(path.relative_to(code))
                try:
                    store = partial(artifacts.store_file, run, name_of, path, models=models)
                    refusal = retry(partial(store, author=author))
                    warnings += filter(None, [refusal])
                except Superseded:
                    return []
                except ValidationError:
                    left_out.append(name_of)
                except StoreFailed:
                    raise
                except OSError as error:
                    shown = file_names.shown(name)
                    warnings.append(f"The file {shown} was not kept: {error.strerror}.")
    warnings += [
        f"The file {file_names.shown(name)} was not kept: its name cannot be stored."
        for name in left_out[:MAX_WARNINGS]
    ]
    return left_out
