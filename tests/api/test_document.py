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


OUR_OWN = ("/healthz", "/metrics", "/{container}")


def test_the_words_of_each_route_are_taken_in_any_case(document):
    """Except in addresses that only we have, and in signed ones of blobs, whose case counts."""
    for path, method, _ in operations(document):
        if not path.startswith(OUR_OWN):
            usual = example_of(path)
            assert route_of(method, usual.swapcase()) == route_of(method, usual), path
