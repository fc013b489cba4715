"""Home: what runs, what failed, what to do next."""

import pytest

from runs.states import Status
from tests.runs.shown import move, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def test_home_shows_what_runs_what_failed_and_what_to_do(client, actor, endpoint, run):
    client.force_login(actor.user)
    failed = submit(actor, endpoint)
    move(failed, Status.RUNNING, Status.FAILED)
    text = client.get("/").content.decode()
    assert str(run) in text
    assert str(failed) in text
    assert "No worker is running" in text
    assert "/endpoints/churn/submit" in text
