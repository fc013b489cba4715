import os
import sys
from argparse import SUPPRESS
from datetime import datetime

from django.conf import settings
from django.core.management.base import BaseCommand

from studio.supervisor import CannotStart
from studio.supervisor.addresses import Addresses
from studio.supervisor.logs import LogFile
from studio.supervisor.start import up


class Command(BaseCommand):
    help = "Start everything, from nothing: database, broker, web, workers. Ctrl-C stops it all."
    requires_system_checks = []

    def add_arguments(self, parser):
        environ = os.environ
        parser.add_argument("--host", default=environ.get("STUDIO_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=environ.get("STUDIO_PORT", "8000"))
        parser.add_argument("--tls-port", type=int, default=environ.get("STUDIO_TLS_PORT", "8443"))
        parser.add_argument(
            "--data", metavar="DIR", help=f"everything is kept here ({settings.STUDIO_DATA})"
        )
        parser.add_argument(
            "--workers",
            type=int,
            metavar="N",
            default=settings.STUDIO_WORKERS or os.cpu_count(),
            help="steps this machine runs at once (its cores)",
        )
        parser.add_argument(
            "--no-samples", action="store_true", help="leave the bundled pipelines out"
        )
        parser.add_argument(
            "--demo", action="store_true", help="fill a new data folder with two made-up weeks"
        )
        # For tests: passed on to `control` and `worker`.
        parser.add_argument("--silence", metavar="SECONDS", help=SUPPRESS)

    def handle(self, *, host, port, tls_port, workers, no_samples, demo, silence, **options):
        try:
            if workers < 1:
                raise CannotStart(f"--workers must be 1 or more, not {workers}")
            up(
                addresses=Addresses(host, port, tls_port),
                slots=workers,
                samples=not no_samples,
                demo=demo,
                silence=silence,
                say=self.say,
            )
        except CannotStart as refusal:
            self.stderr.write(f"up: {refusal}")
            sys.exit(1)

    def say(self, line: str) -> None:
        """Print to the terminal, which may be gone, and to logs/up.log."""
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:
            pass
        if line and "password" not in line:
            LogFile(settings.STUDIO_DATA / "logs", "up").write(
                f"{datetime.now().astimezone():%FT%T%z} {line}"
            )
