"""Endpoints that need no key: what they take, what they keep to themselves, and how often."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from endpoints import services as definitions
from endpoints.models import PipelineEndpoint
from runs.models import Kind, Run
from runs.submission import public as public_calls
from tests import factories

pytestmark = pytest.mark.django_db
ARG = {"Name": "pipeline_arg", "DefaultValue": "10", "IsOptional": True, "Type": "0"}


@pytest.fixture
def endpoint(workspace):
    versions = [factories.pipeline(workspace, f"v{n}", parameters=[ARG]) for n in (0, 1)]
    return factories.endpoint(workspace, "Compare", pipelines=versions)


@pytest.fixture
def url(api, endpoint):
    return f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"


@pytest.fixture
def public(endpoint):
    PipelineEndpoint.objects.update(is_public=True)
    return endpoint


def test_public_endpoint_needs_no_key(anonymous, url, public):
    for path in (url, f"{url}/1", f"/endpoints/{public.uuid}/submit"):
        assert anonymous.post(path, {"ExperimentName": "e"}).status == 200
    run = Run.objects.filter(kind=Kind.PIPELINE).first()
    assert (run.submitted_by, run.user) == ("public", None)


def test_public_endpoint_reveals_nothing_else(anonymous, url, public):
    reply = anonymous.post(url, {"ExperimentName": "e", "ParameterAssignments": {"x": 1}})
    assert reply.body["HasWarnings"] is True
    assert "pipeline_arg" not in json.dumps(reply.body)
    run_id = reply.body["Id"]
    assert anonymous.get(f"{anonymous.P}/PipelineRuns/{run_id}").status == 401
    assert anonymous.get(f"{anonymous.P}/PipelineEndpoints/Id/{public.uuid}").status == 401
    assert anonymous.post(f"/endpoints/{public.name}/submit", {"ExperimentName": "e"}).status == 401
    by_name = f"{anonymous.P}/PipelineRuns/PipelineEndpointSubmit/Name?name={public.name}"
    assert anonymous.post(by_name, {"ExperimentName": "e"}).status == 401
    assert anonymous.get(f"/endpoints/{public.uuid}/submit").status in (401, 405)
    assert not {"RunUrl", "CreatedBy", "Warnings"} & reply.body.keys()


def test_without_an_experiment_the_name_of_the_endpoint_is_not_told(anonymous, url, public):
    reply = anonymous.post(url, {})
    assert reply.body["RunHistoryExperimentName"] is None
    assert public.name not in json.dumps(reply.body)
    assert Run.objects.get(uuid=reply.body["Id"]).experiment.name == public.name


def test_a_public_caller_hangs_its_run_on_nobody_elses(anonymous, api, url, public):
    parent = api.post(url, {"ExperimentName": "e"}).body["Id"]
    assert anonymous.post(f"{url}?parentRunId={parent}", {"ExperimentName": "e"}).status == 404
    assert anonymous.post(url, {"ExperimentName": "e", "ParentRunId": parent}).status == 404


def test_public_endpoint_is_not_found_below_another_workspace(anonymous, url, public):
    other = factories.workspace()
    wrong = url.replace(anonymous.workspace.scope, other.scope)
    assert anonymous.post(wrong, {"ExperimentName": "e"}).status == 404


def test_an_endpoint_that_is_not_public_needs_a_key(anonymous, url):
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 401


def test_a_wrong_key_is_refused_even_where_none_is_needed(anonymous, url, public):
    assert anonymous.post(url, {"ExperimentName": "e"}, Authorization="Bearer no").status == 401


def test_disabled_public_endpoint_refuses(anonymous, actor, url, public):
    definitions.disable(actor, public)
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 400


def test_public_calls_are_limited_by_the_minute(anonymous, api, url, public, settings):
    settings.STUDIO_PUBLIC_CALLS_PER_MINUTE = 2
    api.post(url, {"ExperimentName": "e"})  # a caller with a key does not count
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 200
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 200
    refused = anonymous.post(url, {"ExperimentName": "e"})
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert api.post(url, {"ExperimentName": "e"}).status == 200
    public_calls.calls.clear()  # as in another process: the runs that were made count there, too
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 429
    Run.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert anonymous.post(url, {"ExperimentName": "e"}).status == 200


def test_refused_public_calls_are_limited_too_and_then_cost_next_to_nothing(
    anonymous, url, public, settings, django_assert_max_num_queries
):
    settings.STUDIO_PUBLIC_CALLS_PER_MINUTE = 2
    wrong = {"ExperimentName": "e", "ParameterAssignments": 7}
    assert [anonymous.post(url, wrong).status for _ in range(2)] == [400, 400]
    with django_assert_max_num_queries(1):
        refused = anonymous.post(url, wrong)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    other = anonymous.post(f"/endpoints/{factories.endpoint(public.workspace).uuid}/submit", wrong)
    assert other.status == 401
