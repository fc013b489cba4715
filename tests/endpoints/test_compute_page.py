"""The page of compute targets."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_the_name_of_a_target_is_taken_once_in_a_workspace(client, actor):
    client.force_login(actor.user)
    target = {"name": "gpu", "description": ""}
    assert client.post(reverse("endpoints:compute-new"), target).status_code == 302
    again = client.post(reverse("endpoints:compute-new"), target)
    assert again.status_code == 200
    assert again.context["form"].errors["name"] == ["A compute target of this name exists already."]
