"""The API document, taken at its word by schemathesis: whatever is sent, no answer is a 500.

Of most bodies the document says only that they are objects. Here they look like those clients send, each
value its own, an edge case or of another type; and addresses name rows that are there."""

import json
import os
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from studio.core import tokens
from studio.core.models import Workspace
from studio.core.rest.schema import SCOPE
from studio.storage import links
from tests import factories
from tests.api import bodies, known
from tests.api.conftest import Api
from tests.api.test_routes import WRITES
from tests.api.walk import METHODS, example_of

pytestmark = pytest.mark.django_db
# More of them find more: STUDIO_FUZZ_EXAMPLES=200.
EXAMPLES = int(os.environ.get("STUDIO_FUZZ_EXAMPLES", "6"))
PLACE = {
    "subscription": "8f7d0a5e-3c1b-4c55-9a5e-0f5c2f9f7a11",
    "group": "fuzz",
    "workspace": "fuzz",
}
CONTAINERS = ["artifacts", "logs", "uploads", f"datastore-{known.ID}"]
SERVICES = (
    *("pipelines", "history", "metric", "artifact", "content", "datastore", "dataset", "data"),
    *("environment", "credential", "modelmanagement", "mlflow", "subscriptions", "rp"),
)
# What the parameters of addresses are called, and what is there under that name.
VALUES = {
    "uuid": [known.ID],
    "experiment_id": [known.ID],
    "name": [known.NAME, "cpu-cluster", "workspaceblobstore", f"unregistered-{known.ID}"],
    "model_id": [f"{known.NAME}:1", f"{known.NAME}:"],
    "condition": [f"name={known.NAME}", f"savedDatasetId={known.ID}", "name="],
    "version": ["0", "1", "-1", "9" * 30],
    "label": ["latest"],
    "origin": ["ExperimentRun"],
    "path": [known.PATH, f"{known.ID}/{known.PATH}", "a/../b"],
    "prefix": ["outputs", ""],
    "$filter": ["(ParentRunId eq null)", "resourceGroup eq 'fuzz'", "(a eq", "not (Status eq 1)"],
    "filter": ["(ParentRunId eq null)"],
    "$orderby": ["StartTimeUtc desc", "asc"],
    "$top": ["1", "-1", "9" * 30, "one"],
    "$continuationToken": ["1", "9" * 18],
    "parentRunId": [known.ID],
    "runId": [known.ID],
    "pipelineVersion": ["0", "x"],
    "Name": [known.NAME],
    "experimentName": [known.NAME, "x" * 300],
    "tags": ["a=b", "a", "=", ","],
}
EDGES = ["", " ", "x" * 300, "é\u2028\U0001f600", "../..", "null", "-1", "9" * 30, "0001-01-01"]
OTHERS = ["number", "boolean", "null", "array", "object"]


def schema_of(example) -> dict:
    """A JSON schema of values like this one; at each place also something else."""
    if isinstance(example, dict):
        rows = {key: schema_of(value) for key, value in example.items()}
        return {"type": "object", "properties": rows, "required": list(rows)[:1]}
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0]) if example else {}, "maxItems": 3}
    texts = [example] * isinstance(example, str) + EDGES
    values = {"enum": [example]} if not isinstance(example, str) else {"enum": texts}
    others = [kind for kind in OTHERS if kind not in kinds_of(example)]
    return {"anyOf": [values, {"type": others}]}


def kinds_of(value) -> tuple[str, ...]:
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("boolean",)
    return ("number",) if isinstance(value, int | float) else ()


def pointed(document: dict) -> list:
    """One operation for each view and method, its parameters and its body narrowed to what bites."""
    paths, seen = {}, set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in METHODS:
                continue
            view = resolve(example_of(path)).func.cls
            if (view, method) in seen:
                continue
            seen.add((view, method))
            varied = {row["name"] for row in operation.get("parameters", ())} - {*PLACE, "tenant"}
            if not varied and "requestBody" not in operation:
                continue  # always the same call
            for row in operation.get("parameters", ()):
                row["schema"] = schema_of_parameter(row)
            if "requestBody" in operation:
                example = example_for(method.upper(), view)
                operation["requestBody"] = {
                    "content": {"application/json": {"schema": schema_of(example)}}
                }
            paths.setdefault(path, {})[method] = operation
    loaded = schemathesis.openapi.from_dict({**document, "paths": paths})
    return [found.ok() for found in loaded.get_all_operations()]


def example_for(method: str, view):
    """The body written out in `bodies`, else the short one that `test_routes` sends."""
    short = {
        (verb, resolve(path.partition("?")[0].format(W=SCOPE.format(**PLACE))).func.cls): body
        for verb, path, body in WRITES
    }
    return bodies.EXAMPLES.get((method, view.__name__), short.get((method, view), {}))


def schema_of_parameter(row: dict) -> dict:
    name = row["name"]
    if name in PLACE:
        return {"enum": [PLACE[name]]}
    if name == "container":
        is_blob = "artifacts" in row["schema"]["pattern"]
        return {"enum": CONTAINERS if is_blob else [f"dcid.{known.ID}"]}
    return {"enum": [*VALUES[name], "none", "\u00e9\u2028"]} if name in VALUES else row["schema"]


def service_of(operation) -> str:
    """The first word of an address; what belongs to no service is `others`."""
    word = operation.path.split("/")[1]
    return word if word in SERVICES else "others"


@pytest.fixture(scope="module")
def operations():
    return pointed(SchemaGenerator().get_schema(public=True))


@pytest.fixture
def caller(db):
    """An Admin of a workspace in which everything is there."""
    place = factories.workspace("fuzz")
    Workspace.objects.filter(pk=place.pk).update(subscription_id=PLACE["subscription"])
    place.refresh_from_db()
    actor = factories.actor(place)
    api = Api(place, factories.token(actor))
    known.make(api, actor)
    return api


@pytest.mark.parametrize("service", [*SERVICES, "others"])
def test_nothing_that_is_sent_makes_the_server_fail(caller, operations, service):
    chosen = [operation for operation in operations if service_of(operation) == service]
    assert chosen
    for operation in chosen:
        try_out(caller, operation, GenerationMode.POSITIVE, EXAMPLES)
        try_out(caller, operation, GenerationMode.NEGATIVE, EXAMPLES // 2)


def try_out(caller: Api, operation, mode: GenerationMode, examples: int):
    client = Client(headers={"Authorization": f"Bearer {caller.token}"})

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # the case as it was found says enough
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def send(case):
        path, query = case.formatted_path, dict(case.query or {})
        if path.startswith(tuple(f"/{name}" for name in CONTAINERS)):
            query |= signature(caller, unquote(path))
        if query:
            path = f"{path}?{urlencode(query, doseq=True)}"
        with transaction.atomic():  # each case finds what the first one found
            reply = client.generic(
                case.method, path, body_of(case), content_type="application/json"
            )
            transaction.set_rollback(True)
        # Raised here is also what a view does not catch.
        assert reply.status_code < 500, f"{case.method} {path}: {reply.content[:2000]!r}"

    send()


def body_of(case) -> bytes:
    if isinstance(case.body, NotSet):
        return b""
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()


def signature(caller: Api, path: str) -> dict:
    """The query that opens a blob or a container, made for the caller."""
    container, _, name = path.removeprefix("/").partition("/")
    maker = tokens.actor_of(tokens.from_plain(caller.token))
    if not name:
        query = links.container_sas(container, by=maker, may="rlcw")
    else:
        query = urlsplit(links.signed("", container, name, by=maker, may="rlcw")).query
    return dict(parse_qsl(query.removeprefix("?")))
