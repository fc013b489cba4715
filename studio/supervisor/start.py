"""`up`, step by step: checks, data folder, certificates, database, children, health, next steps."""

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line
from django.urls import reverse

from studio.supervisor import CannotStart, broker, datafolder, static, tls
from studio.supervisor.addresses import Addresses, health, next_steps
from studio.supervisor.logs import LogFile
from studio.supervisor.processes import Child, Errand, Stopped, Supervisor

HEALTHY_SECONDS = 60.0
TOO_MANY_CRASHES = 3
# A fork keeps what is imported. Apple's libraries do not allow that, so there every child is
# started as a new program.
FORKS_ARE_SAFE = sys.platform == "linux"
# Imported once for all children. Not studio.wsgi: it looks for the static files, which may not be
# there yet.
PRELOADED = (
    "django.core.handlers.wsgi",
    "whitenoise.middleware",
    "runs.worker.tasks",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "kombu.transport.redis",
    "studio.front.gate",
)


def up(
    *,
    addresses: Addresses,
    slots: int,
    samples: bool,
    demo: bool = False,
    say: Callable[[str], None],
    silence: str | None = None,
) -> None:
    """Returns when the studio was stopped; raises CannotStart if it could not be started."""
    os.umask(0o077)
    data = settings.STUDIO_DATA
    datafolder.prepare(data)
    lock = datafolder.lock(data)
    addresses.check()
    datafolder.ensure_secret_key(data)
    addresses.store(data)
    socket_path = None if os.environ.get("STUDIO_REDIS_URL") else broker.choose_socket(data)
    _read_settings_again_if_changed(addresses)
    Studio(data, lock=lock, addresses=addresses, say=say).serve(
        socket_path=socket_path, slots=slots, samples=samples, demo=demo, silence=silence
    )


def _read_settings_again_if_changed(addresses: Addresses) -> None:
    """Settings were read before the secret key existed and the options were known: start again with
    them."""
    wanted = {
        "STUDIO_HOST": addresses.host,
        "STUDIO_PORT": addresses.port,
        "STUDIO_TLS_PORT": addresses.tls_port,
    }
    changed = any(getattr(settings, name) != value for name, value in wanted.items())
    os.environ.update({name: str(value) for name, value in wanted.items()})
    address = settings.STUDIO_DATA / "redis" / "url"
    changed |= (
        address.is_file()
        and "STUDIO_REDIS_URL" not in os.environ
        and (address.read_text().strip() != settings.STUDIO_REDIS_URL)
    )
    if changed or settings.SECRET_KEY_MISSING:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


class Studio:
    """One start of the process tree."""

    def __init__(
        self, data: Path, *, lock: int, addresses: Addresses, say: Callable[[str], None]
    ) -> None:
        self.data = data
        self.addresses = addresses
        self.say = say
        self.supervisor = Supervisor(lock=lock, say=say)

    def serve(
        self,
        *,
        socket_path: Path | None,
        slots: int,
        samples: bool,
        demo: bool,
        silence: str | None = None,
    ) -> None:
        try:
            tls.ensure(self.data / "tls", hosts=self._hosts())
            if socket_path is not None:
                self._start_broker(socket_path)
            self._prepare(samples=samples, demo=demo)
            self._start_children(slots, silence=silence)
            self._wait_until_healthy()
            for line in next_steps(
                self.addresses, data=self.data, sample="compare" if samples else ""
            ):
                self.say(line)
            self.supervisor.run_forever()
        except Stopped:
            pass
        finally:
            self.supervisor.stop()

    def _hosts(self) -> list[str]:
        names = [self.addresses.host, *settings.ALLOWED_HOSTS]
        return tls.local_hosts(
            *(name.strip("[]") for name in names if not name.startswith((".", "*")))
        )

    def _log(self, name: str) -> LogFile:
        return LogFile(self.data / "logs", name)

    def _start_broker(self, socket_path: Path) -> None:
        socket_path.unlink(missing_ok=True)
        line = broker.command(
            broker.find_server(), socket_path=socket_path, folder=self.data / "redis"
        )
        self.supervisor.add(
            Child("redis", partial(os.execv, line[0], line), self._log("redis"), ends_last=True)
        )
        broker.wait_until_ready(socket_path, between=self.supervisor.wait)

    def _prepare(self, *, samples: bool, demo: bool) -> None:
        """Prepare database and static files in parallel, while we import what the children need."""
        options = [*([] if samples else ["--no-samples"]), *(["--demo"] if demo else [])]
        database = Errand("prepare", _command("prepare", *options), self._log("prepare"))
        self.supervisor.begin(database)
        files = Errand("static", static.collect, self._log("static"))
        if not static.is_current():
            self.supervisor.begin(files)
        preload()
        self.supervisor.renew_keeper()
        self._tell_answer(database, "the database could not be prepared")
        if files.pid:
            self._tell_answer(files, "the static files could not be collected")

    def _tell_answer(self, errand: Errand, failed: str) -> None:
        for line in self.supervisor.finish(errand).splitlines():
            self.say(line)
        if errand.status != 0:
            raise CannotStart(f"{failed}: {errand.log.last_line() or errand.status}")

    def _start_children(self, slots: int, *, silence: str | None) -> None:
        hurry = ["--silence", silence] if silence else []
        for name, command in {
            "control": ["control", *hurry],
            "worker": ["worker", "--slots", str(slots), *hurry],
            "web": ["web"],
            "web-tls": ["web", "--tls"],
        }.items():
            self.supervisor.add(Child(name, _command(*command), self._log(name)))

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while True:
            status, body = health(self.addresses)
            if status == 200:
                return
            for child in self.supervisor.children:
                if child.crashes >= TOO_MANY_CRASHES:
                    raise CannotStart(f"{child.name} keeps ending: {child.last_words}")
            if time.monotonic() > deadline:
                raise CannotStart(f"not ready after {HEALTHY_SECONDS:g} s: {_in_one_line(body)}")
            self.supervisor.wait(0.1)


def preload() -> None:
    """Import and build, before forking, what each child would; then freeze the garbage collector,
    whose marks would copy every page."""
    if not FORKS_ARE_SAFE:
        return
    for name in PRELOADED:
        importlib.import_module(name)
    reverse("home")  # resolves the URL map
    gc.collect()
    gc.freeze()


def _command(*arguments: str) -> Callable[[], None]:
    return partial(run_command, [str(settings.BASE_DIR / "manage.py"), *arguments])


def run_command(arguments: list[str]) -> None:
    """Runs in a fork: become `manage.py …`."""
    if not FORKS_ARE_SAFE:
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606
    sys.argv = arguments
    execute_from_command_line(arguments)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())[:500]
