"""Every way to make a run, in one list with two columns. What is behind an endpoint is refused, with the
same sentence everywhere, once the endpoint or its pipeline is disabled; what brings code of the caller's
own is refused to an Operator."""

import ast
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import resolve

from endpoints import services as definitions
from endpoints.models import Snapshot
from runs import schedules
from runs.api.idempotency import KeyedView
from runs.drafts.edit import create_draft
from runs.drafts.graphs import create_graph_draft
from runs.models import Kind, Run
from runs.schedules import scheduler
from runs.submission import RunSettings
from studio.core.models import Role
from tests import factories
from tests.api.walk import every_address
from tests.studio import ROOT

pytestmark = pytest.mark.django_db
BODY = {"ExperimentName": "ways"}
INTERFACE = {"Parameters": [], "DataPathParameters": [], "DataPathParameterList": []}


class Caller:
    """Somebody with a token and a browser, and what an administrator has made: an endpoint with one
    version, and a run of it."""

    def __init__(self, role: Role = Role.ADMIN):
        self.workspace = factories.workspace()
        self.admin = factories.actor(self.workspace)
        self.pipeline = factories.pipeline(self.workspace, "trained")
        self.endpoint = factories.endpoint(self.workspace, "ways", pipelines=[self.pipeline])
        self.earlier = factories.run(self.admin, experiment="ways", endpoint=self.endpoint)
        actor = factories.actor(self.workspace, role)
        self.token = factories.token(actor)
        self.browser = Client()
        self.browser.force_login(actor.user)
        self.runs_url = f"/pipelines/v1.0{self.workspace.scope}/PipelineRuns"
        self.views = set()

    def post(self, path, body=BODY, **headers):
        self.views.add(getattr(resolve(path.partition("?")[0]).func, "cls", None))
        headers.setdefault("Authorization", f"Bearer {self.token}")
        reply = Client(headers=headers).post(path, body, content_type="application/json")
        return reply.status_code, reply.content.decode()

    def open_form(self, path):
        """Fill a submit form as the page offers it, and send it."""
        page = self.browser.get(path)
        if page.status_code != 200:
            return page.status_code, page.content.decode()
        form = page.context["form"]
        data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        data |= {"experiment_choice": "new", "new_experiment": "ways", "experiment": ""}
        reply = self.browser.post(path, data)
        return reply.status_code, reply.content.decode()

    def schedule(self):
        return schedules.create_schedule(
            self.admin,
            name="ways",
            endpoint=self.endpoint,
            settings=RunSettings("ways"),
            recurrence={"frequency": "Day"},
        )

    def graph(self):
        return factories.graph(self.workspace)

    def post_public(self):
        type(self.endpoint).objects.update(is_public=True)
        return self.post(f"/endpoints/{self.endpoint.uuid}/submit", Authorization="")

    def tick(self):
        """A schedule that is due at once; the refusal is on its log."""
        schedule = self.schedule()
        scheduler.tick()
        tick = schedule.ticks.get()
        return (409 if tick.run is None else 200), tick.reason

    def run_now(self):
        reply = self.browser.post(f"/pipelines/schedules/{self.schedule().uuid}/run/")
        return reply.status_code, reply.content.decode()

    def post_graph(self):
        graph = self.graph()
        body = {"CreationInfo": {}, "Graph": graph.wire, "GraphInterface": graph.interface}
        path = f"{self.runs_url}/Unsubmitted/CreationInfoWithGraph?experimentName=ways"
        return self.post(path, body)

    def post_draft(self):
        wire = create_graph_draft(self.admin, wire=self.graph().wire, interface=INTERFACE)
        draft = create_draft(self.admin, name="ways", graph=wire, settings=RunSettings("ways"))
        body = {"Id": str(draft.uuid), "Name": "ways", "GraphDraftId": str(wire.uuid)}
        path = f"{self.runs_url}/PipelineDraftSubmit"
        return self.post(path, body | {"PipelineSubmissionInfo": BODY})

    def post_script(self):
        files = {"train.py": {"sha256": "0" * 64, "size": 1, "mode": 0o644}}
        snapshot = Snapshot.objects.create(
            workspace=self.workspace, files=files, content_hash=uuid.uuid4().hex * 2
        )
        path = f"/execution/v1.0{self.workspace.scope}/experiments/ways/snapshotrun?runId=ways"
        configuration = {"script": "train.py", "target": "cpu-cluster"}
        return self.post(path, {"SnapshotId": str(snapshot.uuid), "Configuration": configuration})

    def resubmit_unpublished(self):
        run = factories.run(self.admin, experiment="ways", graph=self.graph())
        return self.open_form(f"/runs/{run.uuid}/resubmit/")


@dataclass(frozen=True)
class Way:
    call: Callable[[Caller], tuple[int, str]]
    behind_endpoint: bool = False
    brings_code: bool = False
    makes: int = 1  # with what it starts from


WAYS = {
    "published pipeline": Way(lambda c: c.post(f"{c.runs_url}/PipelineSubmit/{c.pipeline.uuid}")),
    "form of the pipeline": Way(
        lambda c: c.open_form(f"/pipelines/published/{c.pipeline.uuid}/new-run/")
    ),
    "endpoint": Way(
        lambda c: c.post(f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}"),
        behind_endpoint=True,
    ),
    "endpoint, version in the path": Way(
        lambda c: c.post(
            f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}/0?pipelineVersion=0"
        ),
        behind_endpoint=True,
    ),
    "endpoint, version in the query": Way(
        lambda c: c.post(
            f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}?pipelineVersion=0"
        ),
        behind_endpoint=True,
    ),
    "endpoint by name": Way(
        lambda c: c.post(f"{c.runs_url}/PipelineEndpointSubmit/Name?name=ways"),
        behind_endpoint=True,
    ),
    "endpoint by name and version": Way(
        lambda c: c.post(f"{c.runs_url}/PipelineEndpointSubmit/Name?name=ways&pipelineVersion=0"),
        behind_endpoint=True,
    ),
    "alias by name": Way(lambda c: c.post("/endpoints/ways/submit"), behind_endpoint=True),
    "alias by id": Way(
        lambda c: c.post(f"/endpoints/{c.endpoint.uuid}/submit"), behind_endpoint=True
    ),
    "public endpoint": Way(Caller.post_public, behind_endpoint=True),
    "form of the endpoint": Way(
        lambda c: c.open_form(f"/endpoints/{c.endpoint.uuid}/new-run/"), behind_endpoint=True
    ),
    "schedule": Way(Caller.tick, behind_endpoint=True),
    "schedule, by hand": Way(Caller.run_now, behind_endpoint=True),
    "resubmit": Way(
        lambda c: c.open_form(f"/runs/{c.earlier.uuid}/resubmit/"), behind_endpoint=True
    ),
    "graph": Way(Caller.post_graph, brings_code=True),
    "draft": Way(Caller.post_draft, brings_code=True),
    "script": Way(Caller.post_script, brings_code=True),
    "resubmit of what nobody published": Way(
        Caller.resubmit_unpublished, brings_code=True, makes=2
    ),
}
# Where `submit` and `start` are called, and a way that goes through it.
CALLERS = {
    "runs/api/script_runs.py": "script",
    "runs/api/trigger.py": "endpoint",
    "runs/api/unsubmitted.py": "graph",
    "runs/drafts/edit.py": "draft",
    "runs/schedules/scheduler.py": "schedule",
    "runs/services/resubmit.py": "resubmit",
    "runs/views/submit.py": "form of the endpoint",
}
OF_WHAT_IS_PUBLISHED = [name for name, way in WAYS.items() if not way.brings_code]
BEHIND_THE_ENDPOINT = [name for name, way in WAYS.items() if way.behind_endpoint]


@pytest.fixture
def caller():
    return Caller()


def made():
    return Run.objects.exclude(kind=Kind.STEP).count()


@pytest.mark.parametrize("name", WAYS)
def test_it_makes_exactly_one_run(caller, name):
    before = made()
    status, text = WAYS[name].call(caller)
    assert status in (200, 302), text
    assert made() == before + WAYS[name].makes


@pytest.mark.parametrize(
    ("name", "disabled"),
    [(name, "pipeline") for name in OF_WHAT_IS_PUBLISHED]
    + [(name, "endpoint") for name in BEHIND_THE_ENDPOINT],
)
def test_disabled_refuses_it_with_the_reason_and_makes_nothing(caller, name, disabled):
    way = WAYS[name]
    definitions.disable(caller.admin, getattr(caller, disabled))
    before = made()
    status, text = way.call(caller)
    assert status not in (302, 500)
    assert "disabled" in text
    assert made() == before
    definitions.enable(caller.admin, getattr(caller, disabled))
    assert way.call(caller)[0] in (200, 302)


@pytest.mark.parametrize("name", WAYS)
def test_an_operator_runs_what_is_published_and_brings_no_code(name):
    way, caller = WAYS[name], Caller(Role.OPERATOR)
    before = made()
    status, text = way.call(caller)
    if way.brings_code:
        assert status == 403, text
        assert made() == before + way.makes - 1
    else:
        assert status in (200, 302), text
        assert made() == before + way.makes


def test_every_address_that_makes_a_run_has_a_way(caller):
    for way in WAYS.values():
        way.call(caller)
    views = {view for _, _, view in every_address()}
    keyed = {view for view in views if isinstance(view, type) and issubclass(view, KeyedView)}
    assert keyed
    assert keyed <= caller.views


def test_every_caller_of_submit_has_a_way():
    files = [path for app in ("endpoints", "runs", "studio") for path in (ROOT / app).rglob("*.py")]
    names = {str(path.relative_to(ROOT)) for path in files if _submits(path)}
    # The demo is no way for anybody: it calls `submit` before the studio starts.
    no_ways = ("runs/submission/", "studio/demo/")
    assert {name for name in names if not name.startswith(no_ways)} == set(CALLERS)
    assert set(CALLERS.values()) <= set(WAYS)


def _submits(path) -> bool:
    """Whether a file calls `submit` or `start` of `runs.submission`."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    of_submission = [node for node in imports if str(node.module).startswith("runs.submission")]
    imported = {alias.asname or alias.name for node in of_submission for alias in node.names}
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    return bool(called & imported & {"submit", "start"})
