"""Pages of runs without a graph: those that a script makes by itself, and child runs."""

import io
import uuid
import zipfile

import pytest
from django.urls import reverse

from runs import services
from runs.models import Experiment, Run
from runs.states import Status
from runs.tracking import metrics
from studio.core.models import Role
from tests import factories
from tests.runs.shown import keep, step_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]
TABS = ("detail", "metrics", "outputs", "images", "children")


def script(actor, **more) -> Run:
    experiment, _made = Experiment.objects.get_or_create(workspace=actor.workspace, name="notebook")
    return services.make_child(
        actor, uuid=uuid.uuid4(), experiment=experiment, status=Status.RUNNING, **more
    )


def child(actor, parent: Run, name: str) -> Run:
    return services.make_child(actor, uuid=uuid.uuid4(), parent=parent, name=name)


@pytest.fixture
def tracked(actor):
    return script(actor, display_name="sketch", tags={"team": "growth"})


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_the_heading_and_asks_again_while_it_runs(page, tracked, tab):
    text = page(f"run-{tab}", tracked.uuid)
    assert "<h1>sketch</h1>" in text
    assert "every 3s" in text
    assert "Resubmit" not in text
    Run.objects.transition(tracked.pk, to=Status.COMPLETED)
    assert "every 3s" not in page(f"run-{tab}", tracked.uuid)


def test_it_shows_what_it_and_its_children_measured_and_left(page, actor, tracked):
    fold = child(actor, tracked, "fold")
    deeper = child(actor, fold, "deeper")
    other = script(actor)
    for run, name in ((tracked, "auc"), (fold, "acc"), (deeper, "depth"), (other, "elsewhere")):
        metrics.add_metric(run.pk, name=name, points=[{"data": {name: 1}}], columns={name: "int"})
    keep(fold, "outputs/model.txt", b"m")
    text = page("run-metrics", tracked.uuid)
    assert all(name in text for name in ("auc", "acc", "depth"))
    assert "elsewhere" not in text
    text = page("run-metrics", fold.uuid)
    assert "acc" in text
    assert "auc" not in text
    assert "outputs/model.txt" in page("run-outputs", tracked.uuid)
    assert "fold" in page("run-children", tracked.uuid)
    assert tracked.get_absolute_url() in page("run-detail", fold.uuid)


def test_the_list_links_to_it_and_not_to_its_children(page, actor, tracked):
    fold = child(actor, tracked, "fold")
    text = page("run-list")
    assert f'href="{tracked.get_absolute_url()}"' in text
    assert str(fold.uuid) not in text
    assert "sketch" in page("run-list", query="?q=sketch&status=Running")
    assert "sketch" in page("run-list", query="?q=tag:team=growth")
    assert "No run matches" in page("run-list", query="?source=REST")


def test_a_page_of_the_list_holds_both_kinds_newest_first(page, actor, endpoint):
    names = []
    for _turn in range(7):
        names.append(factories.run(actor, endpoint=endpoint, experiment="growth").uuid)
        names.append(script(actor).uuid)
    text = page("run-list", query="?size=10")
    shown = [name for name in names if f'id="run-{name}"' in text]
    assert shown == names[4:]
    assert "Older" in text


def test_a_child_of_a_step_is_found_from_its_step(page, actor, run):
    step = step_of(run, "train")
    made = child(actor, step, "fold")
    text = page("run-detail", run.uuid, query=f"?step={step.uuid}")
    assert made.get_absolute_url() in text
    text = page("run-detail", made.uuid)
    assert f'href="{step.get_absolute_url()}"' in text
    assert f'href="{run.get_absolute_url()}"' in text


def test_a_pipeline_submitted_below_it_is_found_from_it_and_leads_back(
    page, actor, tracked, endpoint
):
    below = factories.run(actor, endpoint=endpoint, experiment="growth", parent=tracked)
    text = page("run-children", tracked.uuid)
    assert below.get_absolute_url() in text
    assert not any(step.get_absolute_url() in text for step in below.children.all())
    for tab in ("detail", "steps", "metrics", "details"):
        assert f'href="{tracked.get_absolute_url()}"' in page(f"run-{tab}", below.uuid)


def test_pages_of_a_graph_lead_elsewhere_or_are_not_there(client, page, run, tracked):
    for name in ("steps", "parameters", "snapshot", "details", "resubmit"):
        page(f"run-{name}", tracked.uuid, status=404)
    page("endpoints:run-publish", tracked.uuid, status=404)
    page("run-live", tracked.uuid, "graph", status=404)
    assert "run-heading" in page("run-live", tracked.uuid, "heading")
    reply = client.get(reverse("runs:run-children", args=[run.uuid]))
    assert reply.headers["Location"] == reverse("runs:run-steps", args=[run.uuid])


def test_it_is_canceled_and_downloaded_like_others(client, page, tracked):
    keep(tracked, "outputs/a.txt", b"a")
    assert "stop it there" in page("run-cancel", tracked.uuid)
    client.post(reverse("runs:run-cancel", args=[tracked.uuid]))
    tracked.refresh_from_db()
    assert tracked.status == Status.CANCELED
    reply = client.get(reverse("runs:run-zip", args=[tracked.uuid]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content)))
    assert archive.namelist() == ["outputs/a.txt"]
    assert client.get(reverse("runs:run-raw", args=[tracked.uuid])).json()["kind"] == "Script"


def test_another_workspace_sees_nothing_of_it(page):
    hidden = script(factories.actor(factories.workspace(), Role.ADMIN))
    for tab in TABS:
        page(f"run-{tab}", hidden.uuid, status=404)
    page("run-rename", hidden.uuid, status=404)
    assert str(hidden.uuid) not in page("run-list")
