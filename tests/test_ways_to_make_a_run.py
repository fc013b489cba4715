"""Every way to make a run, in one list: each makes one while the endpoint is active, and each is
refused with the same sentence once the endpoint, or the pipeline behind it, is disabled."""

import pytest
from django.test import Client

from endpoints import services as definitions
from runs import scheduler, services
from runs.models import Kind, Run
from studio.core.models import User
from tests import factories

pytestmark = pytest.mark.django_db
BODY = {"ExperimentName": "ways"}


class Caller:
    """An administrator with a token and a browser, and an endpoint with one version."""

    def __init__(self):
        self.workspace = factories.workspace()
        self.actor = factories.actor(self.workspace)
        self.pipeline = factories.pipeline(self.workspace, "trained")
        self.endpoint = factories.endpoint(self.workspace, "ways", pipelines=[self.pipeline])
        self.token = factories.token(self.actor)
        self.earlier = services.submit(self.actor, experiment="ways", endpoint=self.endpoint)
        self.browser = Client()
        self.browser.force_login(User.objects.get(pk=self.actor.user.pk))
        self.runs_url = f"/pipelines/v1.0{self.workspace.scope}/PipelineRuns"

    def post(self, path, **headers):
        headers.setdefault("Authorization", f"Bearer {self.token}")
        reply = Client(headers=headers).post(path, BODY, content_type="application/json")
        return reply.status_code, reply.content.decode()

    def open_form(self, path):
        """Fill a submit form as the page offers it, and send it."""
        page = self.browser.get(path)
        assert page.status_code == 200, page.content
        form = page.context["form"]
        data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        data |= {"experiment_choice": "new", "new_experiment": "ways", "experiment": ""}
        reply = self.browser.post(path, data)
        return reply.status_code, reply.content.decode()

    def schedule(self):
        return services.create_schedule(
            self.actor,
            name="ways",
            endpoint=self.endpoint,
            submission=BODY,
            recurrence={"Frequency": "Day"},
        )

    def tick(self):
        """A schedule that is due at once; the refusal is on its log."""
        schedule = self.schedule()
        scheduler.tick()
        tick = schedule.ticks.get()
        return (409 if tick.run is None else 200), tick.reason

    def run_now(self):
        reply = self.browser.post(f"/pipelines/schedules/{self.schedule().uuid}/run/")
        return reply.status_code, reply.content.decode()


def public(caller):
    type(caller.endpoint).objects.update(is_public=True)
    return caller.post(f"/endpoints/{caller.endpoint.uuid}/submit", Authorization="")


WAYS = {
    "published pipeline": lambda c: c.post(f"{c.runs_url}/PipelineSubmit/{c.pipeline.uuid}"),
    "endpoint": lambda c: c.post(f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}"),
    "endpoint, version in the path": lambda c: c.post(
        f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}/0?pipelineVersion=0"
    ),
    "endpoint, version in the query": lambda c: c.post(
        f"{c.runs_url}/PipelineEndpointSubmit/Id/{c.endpoint.uuid}?pipelineVersion=0"
    ),
    "endpoint by name": lambda c: c.post(f"{c.runs_url}/PipelineEndpointSubmit/Name?name=ways"),
    "endpoint by name and version": lambda c: c.post(
        f"{c.runs_url}/PipelineEndpointSubmit/Name?name=ways&pipelineVersion=0"
    ),
    "alias by name": lambda c: c.post("/endpoints/ways/submit"),
    "alias by id": lambda c: c.post(f"/endpoints/{c.endpoint.uuid}/submit"),
    "public endpoint": public,
    "form of the endpoint": lambda c: c.open_form(f"/endpoints/{c.endpoint.uuid}/new-run/"),
    "form of the pipeline": lambda c: c.open_form(
        f"/pipelines/published/{c.pipeline.uuid}/new-run/"
    ),
    "schedule": Caller.tick,
    "schedule, by hand": Caller.run_now,
    "resubmit": lambda c: c.open_form(f"/runs/{c.earlier.uuid}/resubmit/"),
}


@pytest.fixture
def caller():
    return Caller()


def made():
    return Run.objects.filter(kind=Kind.PIPELINE).count()


@pytest.mark.parametrize("way", WAYS)
def test_it_makes_exactly_one_run(caller, way):
    before = made()
    status, text = WAYS[way](caller)
    assert status in (200, 302), text
    assert made() == before + 1


def refusals():
    """A pipeline's own address does not pass through its endpoint; a disabled pipeline stops all."""
    for way in WAYS:
        yield way, "pipeline"
        if "pipeline" not in way:
            yield way, "endpoint"


@pytest.mark.parametrize(("way", "disabled"), list(refusals()))
def test_disabled_refuses_it_with_the_reason_and_makes_nothing(caller, way, disabled):
    definitions.disable(caller.actor, getattr(caller, disabled))
    before = made()
    status, text = WAYS[way](caller)
    assert status not in (302, 500)
    assert "disabled" in text
    assert made() == before
    definitions.enable(caller.actor, getattr(caller, disabled))
    assert WAYS[way](caller)[0] in (200, 302)
