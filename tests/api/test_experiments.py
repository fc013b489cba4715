"""Experiments on the wire: tags, the archive, the end; what is refused, and to whom."""

from uuid import uuid4

import pytest

from runs import run_tokens, services
from runs.models import Experiment, Run
from studio.core.models import AuditEvent, Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(api):
    """`made(name)`: the id of a new experiment."""
    return lambda name: api.post(f"{api.H}/experiments/{name}").body["experimentId"]


def names(api, view="", **body):
    reply = api.post(f"{api.H}/experiments:query{view}", body)
    assert reply.status == 200, reply.body
    return [row["name"] for row in reply.body["value"]]


def test_tags_are_merged_and_removed(api, made):
    path = f"{api.H}/experimentids/{made('churn')}"
    assert api.patch(path, {"tags": {"team": "a", "n": 1}}).body["tags"] == {"team": "a", "n": "1"}
    tagged = api.patch(path, {"tags": {"n": None}, "description": "of customers"}).body
    assert (tagged["tags"], tagged["description"]) == ({"team": "a", "n": ""}, "of customers")
    assert api.post(f"{path}/tags:delete", {"tags": ["n", "none"]}).body == {"errors": {}}
    assert api.get(path).body["tags"] == {"team": "a"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("(name eq churn rate)", ["churn rate"]),
        ("(Tags/team eq a)", ["churn rate"]),
        ('(Tags/team eq "a")', ["churn rate"]),
        ("(Tags/team ne null or Tags/team eq null)", ["sales", "churn rate"]),
        ("((name eq sales) and (Tags/team eq b))", ["sales"]),
        ("(Tags/team eq c)", []),
        ("(CreatedUtc ge 2020-01-01)", ["plain", "sales", "churn rate"]),
    ],
)
def test_lists_are_filtered(api, made, wanted, expected):
    for name, tags in (("churn rate", {"team": "a"}), ("sales", {"team": "b"}), ("plain", {})):
        api.patch(f"{api.H}/experimentids/{made(name)}", {"tags": tags})
    assert names(api, filter=wanted) == expected


def test_the_archive_hides_and_gives_back(api, made):
    path = f"{api.H}/experimentids/{made('old')}"
    made("new")
    assert api.patch(path, {"archive": True}).body["archivedTime"]
    first = api.get(path).body["archivedTime"]
    assert api.patch(path, {"archive": True}).body["archivedTime"] == first, "archived already"
    assert names(api) == ["new"]
    assert names(api, "?viewType=ArchivedOnly") == names(api, viewType="ArchivedOnly") == ["old"]
    assert names(api, "?viewType=All") == ["new", "old"]
    assert api.patch(path, {"archive": False}).body["archivedTime"] is None
    assert names(api) == ["new", "old"]
    verbs = AuditEvent.objects.filter(object_name="old").order_by("pk")
    assert [event.verb for event in verbs] == ["archive", "reactivate"]


def test_a_new_run_brings_an_experiment_back_and_a_child_does_not(actor, workspace):
    run = factories.run(actor, experiment="old", pipeline=factories.pipeline(workspace))

    def archive():
        services.edit_experiment(actor, run.experiment, archive=True)

    def archived():
        return Experiment.objects.get(name="old").archived_at is not None

    archive()
    services.make_child(actor, uuid=uuid4(), parent=run)
    assert archived()
    services.make_child(actor, uuid=uuid4(), experiment=run.experiment)
    assert not archived()
    archive()
    factories.run(actor, experiment="old", graph=run.pipeline_run.graph)
    assert not archived()
    archive()
    services.make_experiment(actor, "old")
    assert not archived()


def test_only_one_without_runs_is_deleted(api, actor, made, workspace):
    path = f"{api.H}/experimentids/{made('used')}"
    factories.run(actor, experiment="used", pipeline=factories.pipeline(workspace))
    reply = api.delete(path)
    assert reply.status == 409
    assert "Experiment used has runs" in reply.body["error"]["message"]
    assert names(api) == ["used"]
    path = f"{api.H}/experimentids/{made('empty')}"
    assert api.delete(path).status == 200
    assert api.delete(path).status == 404
    assert names(api) == ["used"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"archive": "perhaps"}, "archive"),
        ({"tags": ["a"]}, "tags"),
        ({"tags": {"a": {}}}, "tags.a"),
        ({"tags": {"a" * 300: "b"}}, "tags"),
        ({"description": []}, "description"),
        ({"name": "another"}, "name"),
    ],
)
def test_what_cannot_be_is_refused_by_name(api, made, body, field):
    reply = api.patch(f"{api.H}/experimentids/{made('churn')}", {"tags": {"x": "y"}, **body})
    assert (reply.status, reply.body["error"]["target"]) == (400, field)
    assert Experiment.objects.get().tags == {}


def test_wrong_questions_are_refused_by_name(api, made):
    path = f"{api.H}/experiments:query"
    for reply, field in (
        (api.post(f"{path}?viewType=Some"), "viewType"),
        (api.post(path, {"filter": "(Status eq Running)"}), "filter"),
        (api.post(path, {"filter": "(name"}), "filter"),
        (api.post(f"{api.H}/experimentids/{made('a')}/tags:delete", {"tags": [7]}), "tags"),
    ):
        assert reply.status == 400
        assert reply.body["error"]["target"] == field


def test_who_submits_may_tag_and_only_publishers_archive_and_delete(api_as, made):
    uuid = made("churn")
    operator, publisher = api_as(Role.OPERATOR), api_as(Role.PUBLISHER)
    path = f"{operator.H}/experimentids/{uuid}"
    assert api_as(Role.READER).patch(path, {"tags": {"a": "b"}}).status == 403
    assert operator.patch(path, {"tags": {"a": "b"}}).status == 200
    assert operator.patch(path, {"archive": True}).status == 403
    assert operator.delete(path).status == 403
    assert publisher.patch(path, {"archive": True}).status == 200
    assert publisher.delete(path).status == 200


def test_a_steps_token_looks_and_changes_nothing(actor, workspace):
    run = factories.run(actor, experiment="churn", pipeline=factories.pipeline(workspace))
    step = Api(workspace, run_tokens.make(Run.objects.get(parent=run))[0])
    path = f"{step.H}/experimentids/{run.experiment.uuid}"
    assert step.get(path).status == 200
    assert step.patch(path, {"tags": {"a": "b"}}).status == 403
    assert step.delete(path).status == 403
    assert step.post(f"{path}/tags:delete", {"tags": ["a"]}).status == 403
