import asyncio
import logging
import os
import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from studio.front import secure
from studio.front.server import Server
from studio.front.threads import Threads
from studio.supervisor import static

# Each thread works on one request and waits for no caller. There are this many because some wait
# for the database or the storage, and no more because each keeps a database connection.
THREADS = 24
logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve pages and REST over http, or over https with the certificate in the data folder."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--tls", action="store_true")

    def handle(self, *, tls, **options):
        if settings.SECRET_KEY_MISSING:
            raise CommandError("there is no secret key: set STUDIO_SECRET_KEY, or start with `up`")
        context = context_of_folder() if tls else None
        if not static.is_current():
            static.collect()
        asyncio.run(serve(settings.STUDIO_TLS_PORT if tls else settings.STUDIO_PORT, context))


def context_of_folder():
    folder = settings.STUDIO_DATA / "tls"
    if not (folder / "server.pem").is_file():
        raise CommandError(f"there is no certificate in {folder}: `up` makes one")
    return secure.context_of(folder / "server.pem", folder / "server.key")


async def serve(port: int, context) -> None:
    from studio.front.gate import StudioGate  # noqa: PLC0415 - both look at all routes
    from studio.wsgi import application  # noqa: PLC0415

    server = Server(
        application,
        gate=StudioGate(),
        threads=Threads(THREADS, at_end=connections.close_all),
        folder=settings.STUDIO_DATA,
    )
    try:
        await server.start(settings.STUDIO_HOST, port, tls=context)
    except OSError as error:
        raise CommandError(f"cannot listen on {settings.STUDIO_HOST}:{port}: {error}") from error
    for number in (signal.SIGTERM, signal.SIGINT):
        server.loop.add_signal_handler(number, server.stop)
    logger.info("serving %s port %s pid %s", "https" if context else "http", port, os.getpid())
    await server.serve()
