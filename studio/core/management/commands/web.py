import multiprocessing
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols

from studio.supervisor import static

# Each request holds one thread until its body was read and its answer taken, so slow callers need
# threads, not processes; those that idle for half a minute end.
THREADS = 48
STOP_SECONDS = 3


def application():
    from studio.wsgi import application  # noqa: PLC0415 - in the server's process, not in its parent

    return application


class Command(BaseCommand):
    help = "Serve pages and REST over http, or over https with the certificate in the data folder."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--tls", action="store_true")

    def handle(self, *, tls, **options):
        if sys.platform == "linux":
            multiprocessing.set_start_method("fork", force=True)
        if settings.SECRET_KEY_MISSING:
            raise CommandError("there is no secret key: set STUDIO_SECRET_KEY, or start with `up`")
        folder = settings.STUDIO_DATA / "tls"
        if tls and not (folder / "server.pem").is_file():
            raise CommandError(f"there is no certificate in {folder}: `up` makes one")
        if not static.is_current():
            static.collect()
        Granian(
            "studio.wsgi:application",
            address=settings.STUDIO_HOST,
            port=settings.STUDIO_TLS_PORT if tls else settings.STUDIO_PORT,
            interface=Interfaces.WSGI,
            blocking_threads=THREADS,
            http=HTTPModes.http1,
            websockets=False,
            ssl_cert=folder / "server.pem" if tls else None,
            ssl_key=folder / "server.key" if tls else None,
            ssl_protocol_min=SSLProtocols.tls12,  # what older Java and Mono callers speak
            workers_kill_timeout=STOP_SECONDS,
            log_dictconfig=settings.LOGGING,
        ).serve(target_loader=application, wrap_loader=False)
