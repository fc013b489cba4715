"""Disabled means disabled from the moment that it is answered, whoever is on the way meanwhile."""

from threading import Thread

import pytest
from django.db import connection, transaction

from endpoints import services as definitions
from endpoints.models import PipelineEndpoint, PublishedPipeline
from runs.models import Experiment, Run
from runs.submission import start
from studio.core.errors import Disabled
from studio.core.models import AuditEvent
from tests import factories
from tests.api.conftest import Api
from tests.waiting import wait_for

CALLERS = 8


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["endpoint", "pipeline"])
def test_what_was_read_before_it_was_disabled_is_refused(actor, what):
    """A trigger reads its target, and whoever disables it comes between."""
    row = factories.endpoint(actor.workspace, "ways")
    read = PipelineEndpoint.objects.select_related("default_version__pipeline__graph").get()
    definitions.disable(actor, row if what == "endpoint" else row.default_version.pipeline)
    before = AuditEvent.objects.count()
    with pytest.raises(Disabled, match="disabled"), transaction.atomic():
        factories.run(actor, experiment="new", endpoint=read)
    assert not Run.objects.exists()
    assert not Experiment.objects.exists()
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db
def test_a_published_pipeline_read_before_it_was_disabled_is_refused(actor):
    definitions.disable(actor, factories.pipeline(actor.workspace))
    read = PublishedPipeline.objects.get()
    read.status = "Active"
    with pytest.raises(Disabled, match="disabled"), transaction.atomic():
        factories.run(actor, experiment="new", pipeline=read)
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_what_is_held_is_asked_when_it_starts(actor):
    endpoint = factories.endpoint(actor.workspace)
    run = factories.run(actor, experiment="held", endpoint=endpoint, held=True)
    run.endpoint, run.pipeline = (  # as they were read before
        PipelineEndpoint.objects.get(),
        PublishedPipeline.objects.get(),
    )
    definitions.disable(actor, PublishedPipeline.objects.get())
    with pytest.raises(Disabled, match="disabled"), transaction.atomic():
        start(actor, run)
    assert not run.children.exists()
    assert not AuditEvent.objects.filter(verb="start").exists()


class Callers:
    """Threads that trigger an endpoint until it refuses."""

    def __init__(self, actor, endpoint):
        place, self.answers = actor.workspace, []
        self.api = Api(place, factories.token(actor))
        self.path = f"{self.api.P}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"
        self.threads = [Thread(target=self.call, args=(n,)) for n in range(CALLERS)]

    def call(self, number):
        try:
            status = 200
            while status == 200:
                # Two experiments: those of one wait for its row, one after the other.
                status = self.api.post(self.path, {"ExperimentName": f"e{number % 2}"}).status
            self.answers.append(status)
        finally:
            connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        runs = Run.objects.pipeline_runs()
        wait_for(lambda: runs.count() >= 2 * CALLERS, what="a run of each caller, and a second")

    def __exit__(self, *error):
        for thread in self.threads:
            thread.join(60)
        assert self.answers == [400] * CALLERS


@pytest.mark.parametrize("what", ["endpoint", "pipeline"])
def test_nothing_is_submitted_after_a_disable(database_of_threads, what):
    actor = factories.actor(factories.workspace())
    endpoint = factories.endpoint(actor.workspace)
    target = endpoint if what == "endpoint" else endpoint.default_version.pipeline
    with Callers(actor, endpoint):
        definitions.disable(actor, target)
        answered = Run.objects.pipeline_runs().count()
    assert Run.objects.pipeline_runs().count() == answered
    rows = AuditEvent.objects.filter(verb__in=("submit", "disable")).order_by("pk")
    verbs = list(rows.values_list("verb", flat=True))
    assert verbs == ["submit"] * answered + ["disable"]
