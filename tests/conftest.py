"""Fixtures: a workspace with an actor, callers of the REST API, and the real thing running."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.template.backends.django import Template
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from studio.core.models import Role
from tests import factories
from tests.postgresql import PostgreSQL, find_binaries
from tests.studio import LiveStudio

REQUIRE_ALL = os.environ.get("STUDIO_REQUIRE_ALL") == "1"


def pytest_configure():
    # Slow by design, and no test is about it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


# What needs the SDK, a browser, PostgreSQL or processes of its own, or waits for long. It runs with
# STUDIO_REQUIRE_ALL=1, and where the command line names its folder or file.
HEAVY = (
    *("tests/clients", "tests/e2e", "tests/processes", "tests/sdk", "tests/supervisor"),
    *("tests/api/test_schemathesis.py", "tests/front/test_held.py", "tests/front/test_slow.py"),
    *("tests/runs/test_environments.py", "tests/runs/test_forking.py"),
    *("tests/runs/test_hostile_steps.py", "tests/runs/test_outages.py"),
    *("tests/runs/test_own_code.py", "tests/runs/test_process.py"),
    *("tests/runs/test_sdk.py", "tests/runs/test_step_python.py"),
)
# The files that take minutes. They begin first: what began last would keep one worker busy by itself.
LONGEST = ("tests/sdk/test_flows", "tests/processes/test_loss.py")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    named = [Path(argument.partition("::")[0]).absolute() for argument in config.args]
    heavy = [] if REQUIRE_ALL else [config.rootpath / name for name in HEAVY]
    left_out = [path for path in heavy if not any(place.is_relative_to(path) for place in named)]

    def is_wanted(item) -> bool:
        if os.environ.get("STUDIO_DATABASE_URL") and not _asks_database(item):
            return False  # it has run already: only the database is another
        return not any(item.path.is_relative_to(path) for path in left_out)

    kept = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=set(items).difference(kept))
    items[:] = kept


def _asks_database(item) -> bool:
    fixtures = {"db", "transactional_db"}.intersection(item.fixturenames)
    return bool(fixtures or item.get_closest_marker("django_db"))


def missing(what: str):
    """Skip a test for want of `what`; where everything must be there, fail instead."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is missing and STUDIO_REQUIRE_ALL=1", pytrace=False)
    pytest.skip(f"{what} is not installed")


@pytest.fixture
def require():
    """`require("javac")` returns the program's path, or skips (fails with STUDIO_REQUIRE_ALL=1)."""

    def find(program: str) -> str:
        return shutil.which(program) or missing(program)

    return find


@pytest.fixture(autouse=True)
def _own_language():
    """A request leaves its language to its thread, which serves the next test too."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True, scope="session")
def _templates_ask_nothing():
    """A template prints what its view has read: one of ours that asks the database fails its test."""
    render, ours = Template.render, settings.BASE_DIR / "templates"

    def watched(template, *given, **named):
        if not Path(template.origin.name).is_relative_to(ours):
            return render(template, *given, **named)  # Django's own, of its admin
        with connection.execute_wrapper(_refuse):
            return render(template, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", watched)
        yield


def _refuse(execute, sql, *rest):
    raise AssertionError(f"a template asked: {sql}")


@pytest.fixture
def queries_of(db):
    """`queries_of(call)`: how many queries a call makes once what is kept has been read."""

    def count(call) -> int:
        call()
        with CaptureQueriesContext(connection) as queries:
            call()
        return len(queries)

    return count


@pytest.fixture
def workspace(db):
    return factories.workspace()


@pytest.fixture
def actor(workspace):
    return factories.actor(workspace)


@pytest.fixture
def as_role(client, workspace):
    """Sign the client in with a role in the workspace."""

    def sign_in(role=Role.ADMIN):
        actor = factories.actor(workspace, role)
        client.force_login(actor.user)
        return actor

    return sign_in


@pytest.fixture(scope="session")
def live_studio(tmp_path_factory):
    """A real `manage.py up` with samples on ports of its own, shared by the whole run."""
    env = {"STUDIO_WEB_ALLOWED_HOSTS": "127.0.0.1"}  # tests serve files beside it
    with LiveStudio(tmp_path_factory.mktemp("live"), env=env) as live:
        yield live


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by playwright; per module, since its event loop forbids Django's queries."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only browser tests pay for it

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def postgresql_server():
    """A PostgreSQL server of our own, on a port of its own, for this run."""
    with PostgreSQL(find_binaries() or missing("PostgreSQL's server")) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server):
    """An empty database. Rows of another test's studio would name files of folders that are not this one's."""
    return postgresql_server.create(f"studio_{uuid4().hex}")
