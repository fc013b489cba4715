"""How far actors reach: the rule, and that services ask it whichever door has called them."""

from dataclasses import replace

import pytest

from runs import services
from runs.models import Run
from runs.states import Status
from studio.core.access import require
from studio.core.errors import Forbidden
from studio.core.models import Role
from tests import factories

VERBS = ("tag", "change", "track", "drive")


def reached(actor, run) -> list[str]:
    return [verb for verb in VERBS if run.reached_by(actor, verb)]


@pytest.fixture
def tree(actor, run):
    """A pipeline run, the step that acts, its child and another step."""
    steps = [services.make_child(actor, uuid=uuid, parent=run) for uuid in ids(2)]
    child = services.make_child(actor, uuid=ids(3)[-1], parent=steps[0])
    return run, steps[0], child, steps[1]


def ids(count: int) -> list[str]:
    return [f"0000000{number}-0000-4000-8000-000000000000" for number in range(count)]


def test_a_step_drives_what_is_below_it_and_tells_facts_to_its_parent(actor, tree):
    run, own, child, sibling = tree
    step = replace(actor, run_uuid=own.uuid)
    assert reached(step, own) == reached(step, child) == list(VERBS)
    assert reached(step, run) == ["tag", "track"]
    assert reached(step, sibling) == []


def test_an_operator_drives_only_runs_of_their_own(workspace, actor, run):
    operator = factories.actor(workspace, Role.OPERATOR)
    own = services.make_child(operator, uuid=ids(1)[0], experiment=run.experiment)
    assert reached(operator, own) == list(VERBS)
    assert reached(operator, run) == ["tag", "change"]
    assert reached(actor, own) == list(VERBS)  # who may run code could do the same by it


def test_a_token_of_another_endpoint_cancels_nothing(actor, run):
    bound = replace(actor, endpoint_uuid=run.endpoint.uuid)
    require(bound, "cancel", run)
    other = replace(actor, endpoint_uuid=factories.endpoint(actor.workspace, "other").uuid)
    with pytest.raises(Forbidden, match="its own endpoint and the runs of that one only"):
        services.cancel(other, run)


@pytest.mark.parametrize(
    "write",
    [
        lambda step, run: services.edit(step, run, tags={"a": "b"}),
        lambda step, run: services.edit(step, run, display_name="mine"),
        lambda step, run: services.edit(step, run, status=Status.CANCELED),
        lambda step, run: services.edit(step, run, properties={"a": "b"}),
        lambda step, run: services.log_params(step, run, {"a": "b"}),
        lambda step, run: services.log_metrics(step, run, []),
        lambda step, run: services.make_child(step, uuid=ids(5)[-1], parent=run),
    ],
)
def test_no_service_writes_a_run_beyond_a_steps_reach(actor, tree, write):
    _, own, _, sibling = tree
    before = Run.objects.count()
    with pytest.raises(Forbidden, match="only its own run"):
        write(replace(actor, run_uuid=own.uuid), sibling)
    sibling.refresh_from_db()
    assert (Run.objects.count(), sibling.status, sibling.tags) == (before, Status.NOT_STARTED, {})


def test_what_is_above_a_run_is_one_query_however_deep_it_is(actor, tree, queries_of):
    run, own, child, _ = tree
    deepest = services.make_child(actor, uuid=ids(6)[-1], parent=child)
    chain = [run, own, child, deepest]
    assert list(Run.objects.above(deepest.pk).order_by("pk")) == chain
    assert list(Run.objects.above(run.pk)) == [run]
    assert queries_of(lambda: list(Run.objects.above(deepest.pk))) == 1
    step = replace(actor, run_uuid=own.uuid)
    deepest = Run.objects.get(pk=deepest.pk)
    assert queries_of(lambda: deepest.reached_by(step, "drive")) == 1
    services.edit(actor, own, status=Status.CANCELED)
    assert Run.objects.canceled_at(deepest.pk) == own
