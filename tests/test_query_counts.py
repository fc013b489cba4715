"""Every page of the URL map asks the database as often for thirty rows as for three, whatever rows it
shows; and an upper bound holds for all."""

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from endpoints.models import ComputeTarget, Datastore
from endpoints.services import register_dataset
from runs import schedules, services
from runs.models import Experiment, ScheduleTick, Worker
from runs.states import Status
from runs.submission import RunSettings
from runs.tracking import metrics
from studio.core import favourites, tokens
from tests import factories
from tests.runs.shown import complete, keep, move, step_of, submit, write_log

pytestmark = pytest.mark.django_db
FLOW = "paths: [{file: https://data.example/%s.csv}]"
PARTS = ("heading", "graph", "side", "steps")
MOST = 25


class Place:
    """A workspace with `count` rows of everything, each thing that has rows of its own having as many."""

    def __init__(self, count: int):
        self.count, self.workspace = count, factories.workspace()
        self.actor = factories.actor(self.workspace)
        self.make_definitions()
        self.make_runs()
        for number in range(count):
            tokens.issue(user=self.actor.user, workspace=self.workspace, name=f"token{number}")
            factories.actor(factories.workspace(), person=self.actor.user)
            queues = ["cpu-cluster", f"queue{number}"]
            name = f"{self.workspace.name}-{number}"
            Worker.objects.create(
                name=name,
                role="worker",
                host="h",
                pid=1,
                queues=queues,
                heartbeat_at=timezone.now() + dt.timedelta(hours=1),  # alive while this test takes
            )
        # What waits has been waiting from the start.
        long_ago = timezone.now() - dt.timedelta(hours=1)
        self.workspace.runs.update(created_at=long_ago, updated_at=long_ago)
        self.rows = {
            "endpoint": [self.endpoint],
            "pipeline": [self.endpoint.default_version.pipeline, self.single],
            "schedule": [self.schedule],
            "dataset": [self.dataset],
            "run": [self.done, self.running, self.failed, self.tracked],
            "token": list(self.workspace.tokens.all()[:1]),
        }

    def make_definitions(self):
        names = tuple(f"step{number}" for number in range(self.count))
        edges = [(names[0], name) for name in names[1:]]
        parameters = [{"Name": name, "Type": "1", "DefaultValue": "1"} for name in names]
        large = {"steps": names, "edges": edges, "parameters": parameters}
        versions = [factories.pipeline(self.workspace, "large", **large)]
        versions += [factories.pipeline(self.workspace) for _ in names[1:]]
        self.endpoint = factories.endpoint(self.workspace, "many", pipelines=versions)
        for number in range(self.count):
            endpoint = factories.endpoint(self.workspace, f"{number:02} endpoint")
            submit(self.actor, endpoint)
            self.single = factories.pipeline(self.workspace, f"{number:02} single")
            favourites.mark(self.actor, endpoint, on=True)
            favourites.mark(self.actor, self.single, on=True)
            self.schedule = self.make_schedule(endpoint=self.endpoint, name=f"a{number}")
            self.make_schedule(pipeline=self.endpoint.default_version.pipeline, name=f"b{number}")
            self.make_schedule(pipeline=self.single, name=f"c{number}")
            for name in ("cats", f"set{number}"):
                self.dataset = register_dataset(
                    self.actor,
                    name=name,
                    dataset_type="file",
                    dataflow=FLOW % number,
                    create_new_version=True,
                ).dataset
            self.dataset = self.workspace.datasets.get(name="cats")
            Datastore.objects.create(workspace=self.workspace, name=f"store{number}")
            ComputeTarget.objects.create(workspace=self.workspace, name=f"queue{number}")

    def make_schedule(self, **target):
        return schedules.create_schedule(
            self.actor,
            settings=RunSettings("growth"),
            recurrence={"frequency": "Day"},
            **target,
        )

    def make_runs(self):
        for number in range(self.count):
            version = 0 if number == self.count - 1 else 1  # the last ones are large
            tags = {"number": str(number)}
            self.done = complete(submit(self.actor, self.endpoint, version=version, tags=tags))
            self.failed = submit(self.actor, self.endpoint, version=version)
            for row in (*self.failed.children.all(), self.failed):
                move(row, Status.RUNNING, Status.FAILED)
            self.running = submit(self.actor, self.endpoint, version=version)
            due_at = timezone.now() + dt.timedelta(days=number)
            ScheduleTick.objects.create(
                schedule=self.schedule, due_at=due_at, outcome="Fired", run=self.done
            )
        self.tracked = self.make_tracked()
        for row in (step_of(self.done, "step0"), self.tracked):
            write_log(row, "a line\n" * self.count)
        for number in range(self.count):
            child = services.make_child(
                self.actor, uuid=uuid.uuid4(), parent=self.tracked, name=f"child{number}"
            )
            for row in (step_of(self.done, f"step{number}"), self.tracked, child):
                keep(row, f"outputs/{number}.txt", b"x")
                points = [{"data": {"loss": 0.1}}, {"data": {"loss": 0.2}}]
                columns = {"loss": "double"}
                metrics.add_metric(row.pk, name=f"loss{number}", points=points, columns=columns)

    def make_tracked(self):
        experiment = Experiment.objects.get(workspace=self.workspace, name="growth")
        return services.make_child(
            self.actor, uuid=uuid.uuid4(), experiment=experiment, status=Status.RUNNING
        )

    def addresses(self) -> Iterator[tuple[str, str]]:
        """`(what it is called, address)` of every page, with each row that it may be of."""
        for name, parameters in pages():
            noun = name.rpartition(":")[2].partition("-")[0]
            if "uuid" not in parameters:
                given = {"name": "store0"} if "name" in parameters else {}
                if not set(parameters) - set(given):
                    yield name, reverse(name, kwargs=given)
                continue
            for number, row in enumerate(self.rows.get(noun, ())):
                for part in PARTS if "part" in parameters else [""]:
                    given = {"uuid": row.uuid} | ({"part": part} if part else {})
                    if not set(parameters) - set(given):
                        yield f"{name} {number} {part}".strip(), reverse(name, kwargs=given)

    def counts(self) -> dict[str, int]:
        """How many queries each page makes that is there to be read."""
        client, found = Client(), {}
        client.force_login(self.actor.user)
        session = client.session
        session["workspace"] = str(self.workspace.uuid)
        session.save()
        client.get("/")  # what a process keeps is read
        for name, address in self.addresses():
            with CaptureQueriesContext(connection) as queries:
                reply = client.get(address, {"size": 50})
            if reply.status_code == 200 and reply.headers["Content-Type"].startswith("text/html"):
                found[name] = len(queries)
        return found


def pages() -> Iterator[tuple[str, set[str]]]:
    """`(name, names of its parameters)` of every address that is a page's."""

    def walk(patterns, prefix: str, parameters: frozenset):
        for entry in patterns:
            own = parameters | frozenset(entry.pattern.regex.groupindex)
            if hasattr(entry, "url_patterns"):
                space = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
                if entry.namespace != "admin":
                    yield from walk(entry.url_patterns, space, own)
            elif entry.name and not hasattr(entry.callback, "cls"):
                yield prefix + entry.name, own

    yield from walk(get_resolver().url_patterns, "", frozenset())


@pytest.fixture
def counts(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"
    return [Place(count).counts() for count in (3, 30)]


def test_thirty_rows_cost_as_many_queries_as_three(counts):
    few, many = counts
    assert len(few) >= 50
    assert many == few
    assert max(few.values()) <= MOST
