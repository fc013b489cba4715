"""Real steps in real processes: folders of their own, pipelines written as YAML, a worker's slot;
and the pages of runs."""

import sqlite3
import textwrap
from contextlib import closing
from dataclasses import dataclass

import pytest
import yaml
from django.db import connections
from django.urls import reverse

from endpoints import services as definitions
from runs.models import Run, StepRun
from runs.worker.process import Worker
from tests import factories
from tests.runs.shown import submit

LR = {"Name": "lr", "Type": "1", "DefaultValue": "0.01"}


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """The bare environment takes a moment to build; all tests share it."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def folders(settings, tmp_path, environments):
    settings.STUDIO_DATA = tmp_path
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"
    settings.STUDIO_WORK_DIR = tmp_path / "work"
    settings.STUDIO_ENVS_DIR = environments
    settings.STUDIO_CANCEL_GRACE_SECONDS = 1
    return tmp_path


@dataclass
class Studio:
    """`publish`, `submit` and `work` of a test; `worker` has one slot and is not started."""

    actor: object
    worker: Worker
    path: object

    def publish(self, *, steps: dict, scripts: dict[str, str], **more):
        """A pipeline of the v1 YAML format; a step without `type` runs its own name's script."""
        folder = self.path / f"source{len(list(self.path.glob('source*')))}"
        folder.mkdir()
        for name, text in scripts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text))
        for name, step in steps.items():
            step.setdefault("type", "PythonScriptStep")
            step.setdefault("allow_reuse", False)
            if step["type"] == "PythonScriptStep":
                step.setdefault("script_name", f"{name}.py")
        document = {
            "name": "test",
            "default_compute": "cpu-cluster",
            "parameters": {},
            "steps": steps,
            **more,
        }
        (folder / "pipeline.yml").write_text(yaml.safe_dump({"pipeline": document}))
        return definitions.publish_folder(self.actor, folder)

    def submit(self, pipeline, **more) -> Run:
        return factories.run(self.actor, experiment="test", pipeline=pipeline, **more)

    def work(self) -> list:
        """Do what a worker's slot does when the bell rings; returns the bells that it would ring."""
        return list(self.worker.process_queue("cpu-cluster"))

    def run(self, pipeline, **more) -> Run:
        run = self.submit(pipeline, **more)
        self.work()
        run.refresh_from_db()
        return run

    @staticmethod
    def step(run: Run, name: str = "one") -> StepRun:
        return StepRun.objects.select_related("run").get(run__parent=run, run__name=name)


@pytest.fixture
def studio(db, actor, folders):
    worker = Worker(slots=1, queues=["cpu-cluster"])
    yield Studio(actor, worker, folders)
    worker.watchdog.close()


@pytest.fixture
def file_database(tmp_path, django_db_setup, django_db_blocker):
    """A database that several threads open at once, as in-memory ones cannot be."""
    with django_db_blocker.unblock():
        handler, alias = connections, "default"
        if handler[alias].vendor != "sqlite":
            pytest.skip("PostgreSQL's tests cover this")
        before, name = handler[alias], handler.settings[alias]["NAME"]
        handler.settings[alias]["NAME"] = str(tmp_path / "db.sqlite3")
        handler[alias] = handler.create_connection(alias)
        before.ensure_connection()
        with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as file:
            before.connection.backup(file)  # has the tables already, and no rows between two tests
        try:
            yield
        finally:
            handler[alias].close()
            handler.settings[alias]["NAME"] = name
            handler[alias] = before


@pytest.fixture
def database_of_threads(request, transactional_db):
    """Either database, opened by several threads at once; rows are committed, and gone afterwards."""
    if connections["default"].vendor == "sqlite":
        request.getfixturevalue("file_database")


@pytest.fixture
def storage_folder(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"


@pytest.fixture
def endpoint(workspace):
    steps, edges = ("prepare", "train"), [("prepare", "train")]
    return factories.endpoint(workspace, "churn", steps=steps, edges=edges, parameters=[LR])


@pytest.fixture
def run(actor, endpoint, storage_folder):
    return submit(actor, endpoint)


@pytest.fixture
def page(client, actor, storage_folder):
    """The text of a page, asked for by the actor's user."""
    client.force_login(actor.user)

    def get(name: str, *args, query: str = "", status: int = 200, **headers) -> str:
        name = name if ":" in name or name == "home-running" else f"runs:{name}"
        response = client.get(reverse(name, args=args) + query, headers=headers)
        assert response.status_code == status, response.content[:500]
        return response.content.decode()

    return get
