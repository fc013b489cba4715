"""The OpenAPI document: valid, and of every route."""

from collections import Counter

import pytest
from drf_spectacular.validation import validate_schema

from tests.api.walk import METHODS, example_of, route_of, served

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(api):
    return api.get("/api/schema").body


def operations(document):
    return [
        (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_it_is_for_callers_only_and_valid(anonymous, document):
    assert anonymous.get("/api/schema").status == 401
    validate_schema(document)


def test_each_operation_has_a_name_of_its_own(document):
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert [name for name, times in names.items() if times > 1] == []


def test_every_route_is_in_it_under_an_address_that_leads_to_it(document):
    told = {route_of(method, example_of(path)) for path, method, _ in operations(document)}
    assert told == served()


# What people call by hand: operations whose bodies and answers have fields. Those that take or give
# nothing have no body.
BY_HAND = [
    "post_submit_pipeline",
    "post_submit_endpoint",
    "post_submit_endpoint_of_version",
    "post_submit_endpoint_by_name",
    "post_submit_alias",
    "post_create_pipeline",
    "get_pipeline_list",
    "get_pipeline_detail",
    "put_pipeline_status",
    "post_create_endpoint",
    "put_replace_endpoint",
    "get_endpoint_list",
    "get_endpoint_by_id",
    "get_endpoint_by_name",
    "get_endpoint_pipelines",
    "post_create_schedule",
    "put_schedule_detail",
    "get_schedule_detail",
    "get_schedule_list",
    "get_schedules_of_pipeline",
    "get_schedules_of_endpoint",
    "delete_execution",
    "post_cancel",
    "get_pipeline_run_detail",
    "get_runs_of_pipeline",
    "get_runs_of_schedule",
    "get_last_run_of_schedule",
    "get_run_detail",
    "get_run_detail_by_experiment",
    "get_run_detail_by_experiment_id",
    "patch_run_detail",
    "get_run_details",
    "get_run_children",
    "get_runs_of_compute",
    "post_query_runs",
    "post_query_experiments",
    "get_experiment_by_name_by_experiment",
    "get_experiment_by_id_by_experiment_id",
]


def test_what_people_write_by_hand_has_fields(document):
    found = {row["operationId"]: row for _, _, row in operations(document)}
    for name in BY_HAND:
        bodies = [found[name].get("requestBody"), found[name]["responses"]["200"]]
        for body in filter(None, bodies):
            for media in body.get("content", {}).values():
                assert fields_of(media["schema"], document), name
        for row in found[name].get("parameters", ()):
            assert row["in"] == "path" or row.get("description"), (name, row["name"])


def fields_of(schema, document):
    """The fields of an object, the items of a list or the words of a text."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return all(fields_of(kind, document) for kind in schema["anyOf"])
    if schema.get("type") == "array":
        return fields_of(schema["items"], document)
    return schema.get("properties") or schema.get("enum")


def test_each_example_of_a_body_names_documented_fields(document):
    for _, _, operation in operations(document):
        media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for shown in media.get("examples", {}).values():
            assert set(shown["value"]) <= set(fields_of(media["schema"], document))


OUR_OWN = ("/healthz", "/metrics", "/{container}")


def test_the_words_of_each_route_are_taken_in_any_case(document):
    """Except in addresses that only we have, and in signed ones of blobs, whose case counts."""
    for path, method, _ in operations(document):
        if not path.startswith(OUR_OWN):
            usual = example_of(path)
            assert route_of(method, usual.swapcase()) == route_of(method, usual), path
