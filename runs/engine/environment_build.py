"""Builds the environment of a step, and stores the log of the build."""

import time
from contextlib import suppress

from django.conf import settings

from runs.engine.claimed_step import Job
from runs.engine.outages import OutageRetry
from runs.logs import BUILD_LOG, LogWriter
from runs.steps import StopFlag
from runs.steps.environments import BuildFailed, BuiltEnvironment, EnvironmentSpec, ensure
from studio.storage.failures import StoreFailed

WRITE_EVERY_SECONDS = 1


def build(
    job: Job, spec: EnvironmentSpec, flag: StopFlag, *, retry: OutageRetry, warnings: list[str]
) -> BuiltEnvironment:
    """Build the step's environment, and store the build log if anything was built. Warnings of the build are
    added to `warnings`, also if it fails."""
    log = BuildLog(job)
    try:
        built = ensure(
            spec,
            root=settings.STUDIO_ENVS_DIR,
            log=log.add,
            should_stop=lambda: bool(flag),
        )
    except BuildFailed as failure:
        warnings += failure.warnings
        raise
    finally:
        log.try_to_write()
        if not flag:
            retry(log.write)
    warnings += built.warnings
    return built


class BuildLog:
    """Collects the lines of a build and writes them every second."""

    def __init__(self, job: Job):
        self.writer = LogWriter(job.tracked_run.uuid, BUILD_LOG, attempt=job.claim.attempt)
        self.lines: list[str] = []
        self.written_at = time.monotonic()

    def add(self, line: str) -> None:
        self.lines.append(line)
        if time.monotonic() - self.written_at > WRITE_EVERY_SECONDS:
            self.try_to_write()
            self.written_at = time.monotonic()

    def try_to_write(self) -> None:
        with suppress(StoreFailed):
            self.write()

    def write(self) -> None:
        if self.lines:
            self.writer.write("".join(f"{line}\n" for line in self.lines).encode())
            self.lines.clear()
