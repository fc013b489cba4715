"""The list of runs: its poll, filters and pages, and canceling several at once."""

import pytest
from django.urls import reverse

from runs import filters
from runs.models import Experiment
from runs.states import Status
from tests.runs.shown import complete, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def test_the_list_polls_only_while_something_lives(page, run):
    assert 'hx-trigger="every 3s"' in page("run-list")
    complete(run)
    text = page("run-list")
    assert "every 3s" not in text
    assert str(run) in text
    assert "churn" in text


def test_a_poll_of_the_list_gets_the_table_alone(page, run):
    text = page("run-list", hx_request="true")
    assert "<html" not in text
    assert str(run) in text


def test_selected_runs_are_canceled_and_finished_ones_left(page, client, actor, endpoint, run):
    done = complete(submit(actor, endpoint))
    page("run-list")
    chosen = {"selected": [str(run.uuid), str(done.uuid), "nonsense"]}
    address = reverse("runs:run-cancel-selected") + "?status=Running&q=churn"
    assert address.replace("&", "&amp;") in page("run-list", query="?status=Running&q=churn")
    question = client.post(address, chosen).content.decode()
    assert f"Cancel {run}?" in question
    assert str(run.uuid) in question
    assert str(done.uuid) not in question
    run.refresh_from_db()
    assert run.status == Status.NOT_STARTED
    reply = client.post(address, {**chosen, "confirmed": "1"})
    assert reply.headers["Location"] == reverse("runs:run-list") + "?status=Running&q=churn"
    run.refresh_from_db()
    done.refresh_from_db()
    assert run.status == Status.CANCELED
    assert done.status == Status.COMPLETED


def test_nonsense_in_the_address_is_the_first_page(page, run):
    for query in ("?before=x", "?after=" + "9" * 30, "?size=7", "?status=x&experiment=1"):
        assert str(run) in page("run-list", query=query)


def test_an_empty_list_says_whether_filters_emptied_it(page):
    for query in ("", "?q=", "?q=&status=&experiment="):
        assert "No run yet" in page("run-list", query=query)
    assert "No run matches" in page("run-list", query="?q=salt")


def test_an_old_experiment_is_offered_while_it_is_chosen(page, run, monkeypatch):
    monkeypatch.setattr(filters, "OFFERED", 1)
    Experiment.objects.create(workspace=run.workspace, name="newer")
    option = f'<option value="{run.experiment.uuid}"'
    assert option not in page("run-list")
    text = page("run-list", query=f"?experiment={run.experiment.uuid}")
    assert f"{option} selected>growth</option>" in text
    assert "Experiment: growth" in text
