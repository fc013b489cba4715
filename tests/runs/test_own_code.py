"""Nobody below Publisher runs code of his own, by whatever door: every address of the URL map is called
with a graph, a script and a folder that would leave a mark, and what was accepted is really executed."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client
from rest_framework.views import APIView

from endpoints.services import create_endpoint, create_graph
from endpoints.services.scripts import Script, create_script_graph
from runs import run_tokens, schedules, services
from runs.api.idempotency import KeyedView
from runs.drafts.edit import create_draft
from runs.drafts.graphs import create_graph_draft
from runs.models import Kind, Run
from runs.states import Status
from runs.submission import RunSettings
from studio.core.models import Role
from tests import factories
from tests.api.walk import every_address

pytestmark = pytest.mark.django_db
METHODS = ("POST", "PUT", "PATCH")  # DELETE takes away; of GETs only one makes a thing, a draft
QUERY = "?experimentName=attack&name=known&runId=attack"
# Doors by which a Publisher runs what nobody has published; that they are found shows that the walk
# gets to where code is run. What is posted by CreateWithGraph waits for SubmitRun.
DOORS = {"SubmitRun", "SubmitDraft", "SnapshotRun", "resubmit"}


class Place:
    """A workspace whose rows all have code that leaves a mark, but for what is published."""

    def __init__(self, studio):
        self.studio, self.mark = studio, studio.path / "mark"
        actor = studio.actor
        published = studio.publish(
            steps={"one": {}},
            scripts={"one.py": "print(1)", "mark.py": f"open({str(self.mark)!r}, 'w')"},
        )
        self.snapshot = actor.workspace.snapshots.get()
        endpoint = create_endpoint(actor, name="known", pipeline=published)
        self.interface = published.graph.interface
        self.wire = deepcopy(published.graph.wire)
        for value in self.wire["ModuleNodes"][0]["ModuleParameters"]:
            if value["Name"] == "Script":
                value["Value"] = "mark.py"
        schedule = schedules.create_schedule(
            actor,
            name="known",
            endpoint=endpoint,
            settings=RunSettings("known"),
            recurrence={"frequency": "Day"},
        )
        graph_draft = create_graph_draft(actor, wire=self.wire, interface=self.interface)
        draft = create_draft(actor, name="known", graph=graph_draft, settings=RunSettings("known"))
        script = Script(str(self.snapshot.uuid), "cpu-cluster", {}, script="mark.py")
        self.rows = {
            "pipeline": published,
            "endpoint": endpoint,
            "schedule": schedule,
            "draft": draft,
            "published run": self.canceled(endpoint=endpoint),
            "run": self.canceled(graph=self.graph()),
            "script": self.canceled(graph=create_script_graph(actor, script), kind=Kind.SCRIPT),
            "held": factories.run(actor, experiment="known", graph=self.graph(), held=True),
        }
        self.values = {
            **dict(zip(("subscription", "group", "workspace"), place_of(actor), strict=True)),
            "name": "known",
            "experiment_id": "x",
            "version": "0",
            "path": "mark.py",
        }

    def graph(self):
        return create_graph(self.studio.actor, wire=self.wire, interface=self.interface)

    def canceled(self, **target) -> Run:
        run = factories.run(self.studio.actor, experiment="known", **target)
        services.cancel(self.studio.actor, run)
        return run

    def body(self, uuid: str) -> dict:
        """Whatever any address reads of code, in one."""
        return {
            "Id": uuid,
            "Name": "attack",
            "ExperimentName": "attack",
            "CreationInfo": {"RunHistoryExperimentName": "attack"},
            "Graph": self.wire,
            "GraphInterface": self.interface,
            "GraphDraftId": str(self.rows["draft"].graph.uuid),
            "PipelineId": str(self.rows["pipeline"].uuid),
            "PipelineSubmissionInfo": {"ExperimentName": "attack"},
            "SnapshotId": str(self.snapshot.uuid),
            "StorageId": str(self.snapshot.uuid),
            "Configuration": {"script": "mark.py", "target": "cpu-cluster"},
        }

    def form(self) -> dict:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("pipeline.yml", json.dumps({"pipeline": {"name": "attack"}}))
        archive.seek(0)
        archive.name = "source.zip"
        new = {"experiment_choice": "new", "new_experiment": "attack", "experiment": ""}
        return new | {"name": "attack", "archive": archive}

    def calls(self, *, is_rest: bool) -> Iterator[tuple[str, str, str, str]]:
        """`(name of the view, method, address, the id in it)`, with each row's id in turn. Of the
        addresses of a view that differ in the run's experiment alone, one is called."""
        called = set()
        for template, names, view in every_address():
            which = view, frozenset(names) - {"name", "experiment_id"}
            if which in called:
                continue
            called.add(which)
            if isinstance(view, type) and issubclass(view, APIView):
                methods = [name for name in METHODS if is_rest and hasattr(view, name.lower())]
            else:
                methods = [] if is_rest else ["POST"]
            known = {name: self.values.get(name, "x") for name in names}
            rows = self.rows.values() if "uuid" in names else [self.rows["draft"]]
            for row, method in itertools.product(rows, methods):
                path = "/" + (template % (known | {"uuid": row.uuid}) if names else template)
                yield getattr(view, "__name__", ""), method, path, str(row.uuid)

    @contextmanager
    def undone(self):
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def marked(self) -> bool:
        """Whether executing all that waits now leaves the mark."""
        self.mark.unlink(missing_ok=True)
        waiting = Run.objects.filter(kind=Kind.STEP, status=Status.QUEUED)
        if waiting.exists():
            self.studio.work()
            assert not waiting.exists()
        return self.mark.exists()


def is_keyed(view) -> bool:
    return isinstance(view, type) and issubclass(view, KeyedView)


def place_of(actor):
    place = actor.workspace
    return place.subscription_id, place.resource_group, place.name


def rest(token: str):
    headers = {"Authorization": f"Bearer {token}"}

    def call(place, method, path, uuid):
        client, data = Client(headers=headers), json.dumps(place.body(uuid)).encode()
        return client.generic(method, path + QUERY, data, content_type="application/json")

    return call


def browser(user):
    def call(place, method, path, uuid):
        client = Client()
        client.force_login(user)  # anew, for one of the addresses signs out
        reply = client.post(path, place.form())
        if reply.status_code != 200 or "form" not in (reply.context or {}):
            return reply
        form = client.get(path).context["form"]
        values = {name: form[name].value() for name in form.fields}
        shown = {name: value for name, value in values.items() if value is not None}
        return client.post(path, shown | place.form())

    return call


@pytest.fixture
def place(studio):
    return Place(studio)


def doors_of(place, call, *, is_rest: bool = True) -> SimpleNamespace:
    """The views that let code of the caller's own run, and those that made a run at all."""
    found = SimpleNamespace(own=set(), any=set(), accepted=set())
    for view, method, path, uuid in place.calls(is_rest=is_rest):
        with place.undone():
            reply = call(place, method, path, uuid)
            assert reply.status_code != 500, (method, path, reply.content[:500])
            if reply.status_code < 300:
                found.accepted.add(view)
            if Run.objects.filter(kind=Kind.STEP, status=Status.QUEUED).exists():
                found.any.add(view)
                if place.marked():
                    found.own.add(view)
    return found


def test_an_operator_runs_what_is_published_and_nothing_else(place):
    operator = factories.actor(place.studio.actor.workspace, Role.OPERATOR)
    by_rest = doors_of(place, rest(factories.token(operator)))
    assert by_rest.own == set()
    assert {"SubmitPipeline", "SubmitEndpoint", "SubmitAlias"} <= by_rest.any
    assert "CreateWithGraph" not in by_rest.accepted
    by_page = doors_of(place, browser(operator.user), is_rest=False)
    assert by_page.own == set()
    assert {"endpoint_submit", "pipeline_submit", "schedule_run", "resubmit"} <= by_page.any


def test_a_publisher_runs_code_by_the_doors_that_this_walk_finds(place):
    publisher = factories.actor(place.studio.actor.workspace, Role.PUBLISHER)
    by_rest = doors_of(place, rest(factories.token(publisher)))
    by_page = doors_of(place, browser(publisher.user), is_rest=False)
    assert by_rest.own | by_page.own == DOORS
    keyed = {view.__name__ for _, _, view in every_address() if is_keyed(view)}
    assert by_rest.any | {"CreateWithGraph"} == keyed | {"SubmitRun"}  # which starts what is there
    assert "CreateWithGraph" in by_rest.accepted


def test_a_token_of_one_endpoint_runs_that_endpoint_only(place):
    token = factories.token(place.studio.actor, endpoint_uuid=place.rows["endpoint"].uuid)
    found = doors_of(place, rest(token))
    assert found.own == set()
    assert found.any == {"SubmitEndpoint", "SubmitEndpointByName", "SubmitAlias"}


def test_a_step_makes_no_run(place):
    run = factories.run(place.studio.actor, experiment="known", endpoint=place.rows["endpoint"])
    step = run.children.get()
    Run.objects.filter(pk=step.pk).update(status=Status.RUNNING)
    found = doors_of(place, rest(run_tokens.make(step)[0]))
    assert found.any == set()
