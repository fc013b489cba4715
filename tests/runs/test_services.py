"""The verbs of a run: what each accepts, refuses and leaves behind."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from endpoints.services import disable
from runs import bell, engine, run_tokens, sealing, services
from runs.models import (
    Experiment,
    Kind,
    Outcome,
    PipelineRun,
    Run,
    RunAttribute,
    Source,
    StatusChange,
)
from runs.naming import run_name, suggested_experiment
from runs.states import Status
from runs.submission import Key, RunSettings, start
from studio.core import tokens
from studio.core.access import Actor
from studio.core.errors import BadValue, Conflict, Disabled, Forbidden, Refused
from studio.core.models import AuditEvent, Role
from tests import factories
from tests.runs import playing

pytestmark = pytest.mark.django_db

NUMBER = {"Name": "lr", "DefaultValue": "1", "IsOptional": True, "Type": "0"}
SECRET = {"Name": "password", "DefaultValue": "", "IsOptional": True, "Type": "3", "Secret": True}


def submit(actor, **more) -> Run:
    if not {"endpoint", "pipeline", "graph"} & set(more):
        more["graph"] = factories.graph(actor.workspace, parameters=[NUMBER])
    return factories.run(actor, **{"experiment": "test", **more})


class TestSubmit:
    def test_a_run_is_there_with_its_steps(self, actor):
        run = submit(actor)
        assert (run.kind, run.status, run.number, run.root) == ("Pipeline", "NotStarted", 1, run)
        assert run.pipeline_run.submitted_at
        step = run.children.get()
        assert (step.kind, step.status, step.target) == ("Step", "Queued", "cpu-cluster")
        assert step.tags == {"azureml.nodeid": "node-one", "azureml.pipeline": str(run.uuid)}
        assert AuditEvent.objects.filter(verb="submit", object_uuid=run.uuid).exists()

    def test_runs_are_numbered_per_experiment(self, actor):
        assert [submit(actor).number, submit(actor).number] == [1, 2]
        assert submit(actor, experiment="other").number == 1

    @pytest.mark.parametrize("name", ["", "  ", None, 7, "a" * 256, "a/b", "a\nb"])
    def test_an_experiment_needs_a_name(self, actor, name):
        with pytest.raises(ValidationError) as refused:
            submit(actor, experiment=name)
        assert "experiment" in refused.value.message_dict
        assert not Run.objects.exists()

    def test_an_endpoint_runs_its_default_or_a_version(self, actor, workspace):
        first, second = factories.pipeline(workspace), factories.pipeline(workspace)
        endpoint = factories.endpoint(workspace, pipelines=[first, second])
        assert submit(actor, endpoint=endpoint).pipeline == first
        run = submit(actor, endpoint=endpoint, version=1)
        assert (run.pipeline, run.endpoint, run.endpoint_version) == (second, endpoint, 1)
        with pytest.raises(BadValue, match="has no version 7"):
            submit(actor, endpoint=endpoint, version=7)

    def test_disabled_is_refused_on_every_path(self, actor, workspace):
        endpoint = factories.endpoint(workspace)
        pipeline = endpoint.default_version.pipeline
        run = submit(actor, endpoint=endpoint)
        disable(actor, endpoint)
        with pytest.raises(Disabled, match=r"endpoint .* is disabled"):
            submit(actor, endpoint=endpoint)
        run.refresh_from_db()
        with pytest.raises(Disabled):
            services.resubmit(actor, run)
        disable(actor, pipeline)
        with pytest.raises(Disabled):
            submit(actor, pipeline=pipeline)
        assert Run.objects.pipeline_runs().count() == 1

    def test_an_experiment_that_the_sdk_cannot_open_is_warned_of(self, actor):
        assert not submit(actor, experiment="my-pipeline_2").pipeline_run.warnings
        (warning,) = submit(actor, experiment="My Pipeline").pipeline_run.warnings
        assert "cannot open runs of the experiment 'My Pipeline'" in warning

    def test_values_defaults_and_where_they_came_from(self, actor):
        run = submit(actor, assignments={"lr": 20, "nonsense": 1}).pipeline_run
        assert run.parameters == {"lr": "20"}
        assert run.provenance == {"lr": "Caller"}
        assert "no parameter nonsense" in run.warnings[0]
        assert submit(actor).pipeline_run.provenance == {"lr": "Default"}
        assert RunAttribute.objects.filter(kind="parameter", key="lr", value="20").exists()

    def test_a_value_of_the_wrong_kind_makes_no_run(self, actor):
        with pytest.raises(ValidationError, match="lr"):
            submit(actor, assignments={"lr": "many"})
        assert not Run.objects.exists()

    def test_a_strict_endpoint_refuses_unknown_names(self, actor, workspace):
        endpoint = factories.endpoint(workspace)
        endpoint.is_strict = True
        with pytest.raises(ValidationError, match="nonsense"):
            submit(actor, endpoint=endpoint, assignments={"nonsense": 1})

    def test_an_unknown_compute_target_is_named(self, actor, workspace):
        graph = factories.graph(workspace)
        graph.wire["ModuleNodes"][0]["ModuleParameters"][1]["Value"] = "gpu"
        graph.save()
        with pytest.raises(
            Refused, match=r"target gpu not found in workspace\. It has: cpu-cluster"
        ):
            submit(actor, graph=graph)

    def test_the_same_key_returns_the_same_run(self, actor):
        run = submit(actor, key=Key("form", "target", "order-7"))
        assert submit(actor, key=Key("form", "target", "order-7")) == run
        others = [Key("form", "target", "order-8"), Key("form", "other", "order-7")]
        assert run not in [submit(actor, key=key) for key in others]
        assert Run.objects.pipeline_runs().count() == 3

    def test_a_secret_value_is_nowhere_in_the_clear(self, actor, workspace):
        graph = factories.graph(workspace, parameters=[SECRET])
        raw = {"ParameterAssignments": {"password": "hunter2"}, "ExperimentName": "test"}
        run = submit(actor, graph=graph, assignments={"password": "hunter2"}, request=raw)
        stored = PipelineRun.objects.values().get(pk=run.pk)
        assert "hunter2" not in str(stored)
        assert not RunAttribute.objects.filter(kind="parameter").exists()
        assert sealing.opened(stored["parameters"]) == {"password": "hunter2"}
        assert sealing.shown(stored["parameters"]) == {"password": sealing.MASK}

    def test_a_reader_may_not(self, workspace):
        with pytest.raises(Forbidden):
            submit(factories.actor(workspace, Role.READER))

    def test_other_workspaces_are_out_of_reach(self, actor):
        graph = factories.graph(factories.workspace())
        with pytest.raises(Forbidden):
            submit(actor, graph=graph)

    def test_a_token_of_one_endpoint_triggers_that_one_only(self, actor, workspace):
        own, other = factories.endpoint(workspace), factories.endpoint(workspace)
        caller = Actor(workspace=workspace, role=Role.ADMIN, name="c", endpoint_uuid=own.uuid)
        assert submit(caller, endpoint=own)
        for target in ({"endpoint": other}, {"pipeline": other.default_version.pipeline}):
            with pytest.raises(Forbidden):
                submit(caller, **target)

    def test_it_costs_the_same_queries_for_three_steps_and_for_thirty(self, actor, queries_of):
        def count(steps: int) -> int:
            names = tuple(f"s{number}" for number in range(steps))
            graph = factories.graph(actor.workspace, steps=names)
            return queries_of(lambda: submit(actor, graph=graph))

        assert count(3) == count(30) <= 20

    def test_names_look_like_those_of_v1(self):
        adjective, noun, ending = run_name().split("_")
        assert adjective.isalpha()
        assert noun.isalpha()
        assert len(ending) == 8


class TestBell:
    def test_a_bell_that_fails_raises_nothing(
        self, actor, monkeypatch, tmp_path, django_capture_on_commit_callbacks
    ):
        from studio.celery import app  # noqa: PLC0415

        monkeypatch.setattr(bell, "_slots", lambda queues: dict.fromkeys(queues, 4))
        dead = app.connection_for_write(url=f"redis+socket://{tmp_path}/no.sock")
        monkeypatch.setattr(bell, "_connection", lambda: dead)
        with django_capture_on_commit_callbacks(execute=True):
            run = submit(actor)
        assert Run.objects.filter(pk=run.pk).exists()

    def test_a_run_that_is_rolled_back_rings_nothing(
        self, actor, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks() as bells:
            try:
                with transaction.atomic():
                    submit(actor)
                    raise RuntimeError
            except RuntimeError:
                pass
        assert bells == []


class TestCancel:
    def test_a_waiting_run_is_canceled_at_once(self, actor):
        run = submit(actor)
        services.cancel(actor, run)
        assert run.status == Status.CANCELED
        assert playing.statuses(run) == {"one": Status.CANCELED}

    def test_a_held_step_is_asked(self, actor):
        run = submit(actor)
        claim = playing.take()
        services.cancel(actor, run)
        services.cancel(actor, run)
        assert run.status == Status.CANCEL_REQUESTED
        assert run.cancel_requested_at
        engine.finish(claim, Outcome.CANCELED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.CANCELED

    def test_one_step_alone(self, actor, workspace):
        run = submit(actor, graph=factories.graph(workspace, steps=("a", "b")))
        services.cancel(actor, run.children.get(name="a"))
        assert playing.play(run) == ["b"]
        assert run.status == Status.CANCELED

    @pytest.mark.parametrize("told", [True, False], ids=["by its client", "by a person"])
    def test_what_was_submitted_below_it_is_canceled_with_it(self, actor, told):
        experiment = Experiment.objects.create(workspace=actor.workspace, name="notebook")
        top = services.make_child(actor, uuid=uuid4(), experiment=experiment, status=Status.RUNNING)
        child = services.make_child(actor, uuid=uuid4(), parent=top)
        below, beside = submit(actor, parent=child), submit(actor)
        if told:
            services.edit(actor, top, status=Status.CANCELED)
        else:
            services.cancel(actor, top)
        for run in (top, child, below):
            run.refresh_from_db()
            assert run.status == Status.CANCELED
        assert playing.statuses(below) == {"one": Status.CANCELED}
        assert playing.statuses(beside) == {"one": Status.QUEUED}

    def test_nothing_is_submitted_below_it_any_more(self, actor, workspace):
        run = submit(actor)
        step = run.children.get()
        held = submit(actor, held=True)
        playing.take()
        services.cancel(actor, run)
        for parent in (run, step):
            with pytest.raises(Refused, match="was canceled"), transaction.atomic():
                submit(actor, parent=parent)
            with pytest.raises(Refused, match="was canceled"), transaction.atomic():
                start(actor, held, parent=parent)
        assert Run.objects.filter(kind=Kind.PIPELINE).count() == 2
        held.refresh_from_db()
        assert (held.parent, held.status) == (None, Status.NOT_STARTED)

    def test_of_several_all_or_none_are_canceled(self, actor):
        runs = [submit(actor) for _ in range(2)]
        foreign = submit(factories.actor(factories.workspace()))
        with pytest.raises(Forbidden):
            services.cancel_all(actor, [*runs, foreign])
        assert not Run.objects.exclude(finished_at=None).exists()
        services.cancel(actor, runs[0])
        assert services.cancel_all(actor, runs) == 1  # one has ended meanwhile
        assert AuditEvent.objects.filter(verb="cancel").count() == 2

    def test_what_is_over_cannot_be_canceled(self, actor):
        run = submit(actor)
        playing.play(run)
        with pytest.raises(Refused, match="over already"):
            services.cancel(actor, run)

    def test_a_run_token_may_not(self, actor):
        run = submit(actor)
        step = Actor(workspace=actor.workspace, role=None, name="s", run_uuid=run.uuid)
        with pytest.raises(Forbidden):
            services.cancel(step, run)


class TestResubmit:
    def test_the_same_values_again(self, actor, workspace):
        graph = factories.graph(workspace, parameters=[NUMBER, SECRET])
        run = submit(
            actor, graph=graph, assignments={"lr": 3, "password": "x"}, tags={"team": "blue"}
        )
        again = services.resubmit(actor, run)
        assert sealing.opened(again.pipeline_run.parameters) == {"lr": "3", "password": "x"}
        assert again.pipeline_run.original == run.pipeline_run
        assert again.pipeline_run.source == Source.RESUBMIT
        assert (again.tags, again.experiment) == ({"team": "blue"}, run.experiment)

    def test_with_other_values(self, actor, workspace):
        run = submit(actor, endpoint=factories.endpoint(workspace, parameters=[NUMBER]))
        again = services.resubmit(actor, run, RunSettings("other", assignments={"lr": 9}))
        assert again.pipeline_run.parameters == {"lr": "9"}
        assert (again.endpoint, again.endpoint_version) == (run.endpoint, 0)
        assert again.experiment.name == "other"

    def test_a_step_cannot_be(self, actor):
        with pytest.raises(Refused):
            services.resubmit(actor, submit(actor).children.get())


class TestEdit:
    def test_tags_and_properties_are_merged_and_found(self, actor):
        run = submit(actor, tags={"a": "1", "b": "2"})
        services.edit(actor, run, tags={"b": 3}, remove_tags=["a"], properties={"p": "q"})
        assert run.tags == {"b": "3"}
        assert run.properties["p"] == "q"
        assert run.properties["azureml.runsource"] == "azureml.PipelineRun"
        found = RunAttribute.objects.filter(run=run, kind="tag").values_list("key", "value")
        assert list(found) == [("b", "3")]

    def test_a_name(self, actor):
        run = submit(actor)
        services.edit(actor, run, display_name="mine", description="why")
        assert (run.display_name, run.description) == ("mine", "why")

    def test_a_client_cannot_move_a_pipelines_run(self, actor):
        run = submit(actor)
        services.edit(actor, run, status=Status.COMPLETED)
        assert run.status == Status.NOT_STARTED

    def test_a_step_that_was_told_to_fail_fails_though_it_exits_well(self, actor):
        run = submit(actor)
        claim = playing.take()
        services.edit(actor, run.children.get(), status=Status.FAILED)
        engine.finish(claim, Outcome.COMPLETED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert run.status == Status.FAILED


class TestTracking:
    def test_a_child_run_is_driven_by_its_client(self, actor):
        parent = submit(actor).children.get()
        child = services.make_child(actor, uuid=str(uuid4()), parent=parent, name="fold 1")
        assert (child.kind, child.root) == (Kind.CHILD, parent.root)
        services.edit(actor, child, status=Status.RUNNING)
        services.edit(actor, child, status=Status.COMPLETED)
        assert child.status == Status.COMPLETED
        assert StatusChange.objects.filter(run=child).count() == 2

    def test_ids_are_uuids_and_taken_once(self, actor):
        run = submit(actor)
        with pytest.raises(BadValue):
            services.make_child(actor, uuid="nonsense", parent=run)
        with pytest.raises(Conflict):
            services.make_child(actor, uuid=run.uuid, parent=run)

    def test_a_point_sent_twice_is_kept_once(self, actor):
        run = submit(actor)
        point = {"data": {"acc": 0.5}, "step": 1, "point_uuid": uuid4()}
        metric = {"name": "acc", "points": [point], "columns": {"acc": "double"}}
        for _ in range(2):
            services.log_metrics(actor, run, [metric, metric])
        services.log_metrics(actor, run, [{"name": "acc", "points": [{"data": {"acc": 1}}]}])
        values = run.metrics.get().values.order_by("pk")
        assert [value.data for value in values] == [{"acc": 0.5}, {"acc": 1}]

    def test_a_batch_of_many_metrics_costs_as_many_queries_as_one_of_few(self, actor):
        run = submit(actor)

        def log(names, column) -> int:
            metrics = [
                {"name": name, "points": [{"data": {column: 1}}], "columns": {column: "int"}}
                for name in names
            ]
            with CaptureQueriesContext(connection) as queries:
                services.log_metrics(actor, run, metrics * 2)
            return len(queries)

        few, many = [f"few{n}" for n in range(2)], [f"many{n}" for n in range(50)]
        assert log(few, "a") == log(many, "a")
        assert log(few, "b") == log(many, "b")
        assert run.metrics.get(name="many7").columns == {"a": "int", "b": "int"}
        assert run.metrics.get(name="many7").values.count() == 4


class TestRunTokens:
    def test_it_is_a_jwt_that_names_its_run_and_dies_with_it(self, actor):
        run = submit(actor)
        step = run.children.get()
        text, expires = run_tokens.make(step)
        claims = tokens.decode(text)
        assert (claims["run"], claims["exp"]) == (f"{step.uuid}.0", expires)
        found = run_tokens.reader(claims)
        assert (found.run_uuid, found.workspace) == (step.uuid, actor.workspace)
        assert not found.may("submit")
        playing.play(run)
        assert run_tokens.reader(claims) is None

    @pytest.mark.parametrize("end", [Outcome.LOST, Outcome.INTERRUPTED])
    def test_it_dies_with_its_attempt(self, actor, end):
        run = submit(actor)
        first = playing.take()
        step = run.children.get()
        claims = tokens.decode(run_tokens.make(step)[0])
        assert run_tokens.reader(claims).run_attempt == 1
        engine.finish(first, end)
        assert run_tokens.reader(claims) is None
        second = playing.take()
        assert run_tokens.reader(claims) is None
        step.refresh_from_db()
        claims = tokens.decode(run_tokens.make(step)[0])
        assert run_tokens.reader(claims).run_attempt == second.attempt

    def test_other_claims_are_not_its_business(self):
        for claims in ({"token": "x"}, {"run": str(uuid4())}, {"run": f"{uuid4()}.1"}):
            assert run_tokens.reader(claims) is None


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("Train 2/b\x07", "Train 2-b-"), ("_x-", "_x-"), ("훈련", "훈련")],
)
def test_an_experiment_is_suggested_that_is_named_like_what_runs(name, suggested):
    assert suggested_experiment(name) == suggested
