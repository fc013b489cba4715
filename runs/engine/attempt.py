"""One attempt of a step: prepares its directory and environment, runs it, and stores its results."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from runs.engine import cleanup, delivery, output_datasets, working_directory
from runs.engine.claimed_step import Job
from runs.engine.environment_build import build
from runs.engine.environment_variables import variables
from runs.engine.log_capture import LogCapture
from runs.engine.outages import GivenUp, OutageRetry, after_outage, is_outage
from runs.engine.result import Result
from runs.engine.step_artifacts import store_artifacts
from runs.engine.step_reports import MAX_WARNINGS, StepReports, script_error
from runs.engine.working_directory import WorkingDirectory
from runs.logs import DRIVER_LOG, LogWriter
from runs.models import Outcome, Run
from runs.states import IN_PROGRESS, Status
from runs.steps import RUNNERS, Order, StepRefused, Stop, StopFlag
from runs.steps.environments import (
    BuildFailed,
    BuildStopped,
    BuiltEnvironment,
    EnvironmentRefused,
    EnvironmentSpec,
    parse,
)
from runs.steps.process import Ended, StepProcess, start
from runs.steps.reasons import last_words
from studio.core import file_names
from studio.core.errors import Refused, text_of
from studio.core.log_markup import plain
from studio.storage.failures import StoreFailed

logger = logging.getLogger(__name__)

# How long the log and the files of a stopped step may take to be stored.
AFTER_STOP_SECONDS = {Stop.CANCELED: 2.0, Stop.TIMED_OUT: 60.0}
AFTER_STOP_SECONDS_AT_LEAST = 1.0
AWAY = (OperationalError, InterfaceError)  # raised while the database is unavailable
STOP_SECONDS = 1.0  # between SIGTERM and SIGKILL when the worker itself has to stop


class Watchdog(Protocol):
    """Kills the step if this process dies or hangs and cannot do it itself."""

    def watch(self, group: int, mark: str) -> None: ...

    def forget(self, group: int) -> None: ...

    def may_have_killed(self) -> bool:
        """Whether this process was silent for so long that the watchdog may have killed its steps."""


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
        built = build(self.job, spec, self.flag, retry=self.retry, warnings=self.warnings)
        folder = working_directory.make(self.job)
        try:
            self.warnings += folder.warnings
            return self._run_in(folder, spec, built)
        finally:
            cleanup.CLEANER.add(folder.path)

    def _run_in(
        self, folder: WorkingDirectory, spec: EnvironmentSpec, built: BuiltEnvironment
    ) -> Result:
        job = self.job
        given, warnings = variables(job, folder, built, dict(spec.variables))
        self.warnings += warnings
        order = Order(
            name=job.node.name,
            python=built.python,
            code=folder.code,
            script=job.node.script,
            command=working_directory.command(job, folder),
            arguments=working_directory.arguments(job, folder),
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
        self, folder: WorkingDirectory, log: LogCapture, reports: StepReports, retry: OutageRetry
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
        start = partial(
            Run.objects.transition,
            self.job.step.pk,
            to=Status.RUNNING,
            attempt=self.job.claim.attempt,
            at=self.running_since,
            reason=f"started on {self.job.claim.worker}",
        )
        # Second, in case our heartbeats were late while it was being prepared.
        ours = start(was=Status.PREPARING) or start(was=Status.NOT_RESPONDING)
        self.running_since = None
        if not ours:  # canceled or taken over while it was being prepared
            asked = Run.objects.filter(pk=self.job.step.pk, status=Status.CANCEL_REQUESTED)
            self.flag.ask(Stop.CANCELED if asked.exists() else Stop.SUPERSEDED)

    def _process(
        self,
        argv: Sequence[str],
        order: Order,
        folder: WorkingDirectory,
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
        self, ended: Ended, folder: WorkingDirectory, log: LogCapture, reports: StepReports
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
        reason = reason or self.flag.reason or Stop.SUPERSEDED
        return Result.of_stop(reason, exit_code, self.job.step.timeout_seconds)

    def _store_outputs(self, folder: WorkingDirectory) -> None:
        working_directory.check_inputs(folder)
        missing, left_out = working_directory.store_outputs(self.job, folder, retry=self.retry)
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
