"""Runs in the admin."""

import pytest
from django.urls import reverse

from runs.states import Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


@pytest.mark.parametrize(
    "model",
    [
        *("run", "pipelinerun", "steprun", "stepattempt", "experiment", "statuschange"),
        *("runattribute", "metric", "metricvalue", "artifact", "worker"),
    ],
)
def test_admin_lists_every_model(admin_client, run, model):
    assert admin_client.get(reverse(f"admin:runs_{model}_changelist")).status_code == 200


def test_admin_cancels_through_the_service(admin_client, run):
    chosen = {"action": "cancel", "_selected_action": [run.pk]}
    admin_client.post(reverse("admin:runs_run_changelist"), chosen)
    run.refresh_from_db()
    assert run.status == Status.CANCELED
