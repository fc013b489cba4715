"""Small requests that would cost minutes: whatever is not in proportion to what was sent or is kept
is bounded by a count, and the refusal names the bound. `tests.benchmarks.small` times them."""

import json

import pytest

from endpoints.data import dataflow
from endpoints.graph.reading import checks
from endpoints.parameters import values
from endpoints.snapshots import zips
from runs.api import local_uploads
from studio.api import credential
from studio.core import yaml_bounds
from studio.core.rest import parsers
from studio.core.rest.bodies import MOST_TERMS
from tests.api import known
from tests.api.known import ID
from tests.api.test_content import send
from tests.api.test_routes import GET, WITH_BODY, at, names

pytestmark = pytest.mark.django_db
MOST = 1000  # values here, so that the bodies stay small
MANY = MOST + 1
# Each is sent to every route that takes a body.
BODIES = {
    "empty lists": b'{"a":[' + b"[]," * MANY + b"[]]}",
    "numbers": b"[" + b"1," * MANY + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(MANY)) + b"}",
    "levels": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "an endless text": b'{"a": "' + b'\\"' * MANY,
}
TERMS = ",".join(["a"] * 20_000)
QUERY = ("tags", "properties", "name", "runId", "$filter", "$orderby", "filter", "path", "count")


@pytest.mark.door
@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY, ids=names(WITH_BODY))
def test_a_body_of_too_many_values_is_refused_before_it_is_built(api, method, path, body, building):
    for raw in BODIES.values():
        assert api.call(method, at(path, api), raw=raw).status in (400, 404)
    assert not any(text.count(",") > MOST for text in building)


@pytest.fixture(autouse=True)
def few_values(monkeypatch):
    monkeypatch.setattr(parsers, "MAX_VALUES", MOST)


@pytest.fixture
def building(monkeypatch):
    """The texts that were made into values."""
    texts = []
    loads = parsers.numbers.loads
    monkeypatch.setattr(
        parsers.numbers, "loads", lambda text, **more: texts.append(text) or loads(text, **more)
    )
    return texts


def test_the_refusal_names_the_bound(api):
    reply = api.post(f"{api.H}/runs:query", raw=BODIES["empty lists"])
    assert reply.status == 400
    assert f"{MOST:,} values" in reply.body["error"]["message"]


def test_commas_in_a_text_are_no_values(api):
    raw = json.dumps({"filter": "", "note": '",[\\' * MANY}).encode()
    assert api.post(f"{api.H}/runs:query", raw=raw).status == 200


def test_a_triggers_body_has_at_most_4_mib(api):
    for path in (f"/endpoints/{ID}/submit", f"{api.P}/PipelineRuns/PipelineSubmit/{ID}"):
        assert api.post(path, raw=b" " * (4 << 20) + b"{}").status in (404, 413)
    known_path = f"/endpoints/{known.NAME}/submit"
    assert api.post(known_path, raw=b" " * (4 << 20) + b"{}").status == 404


@pytest.mark.parametrize("path", GET)
def test_a_query_of_many_terms_is_bounded(api, path):
    address = at(path, api)
    joint = "&" if "?" in address else "?"
    for key in QUERY:
        assert api.get(f"{address}{joint}{key}={TERMS}").status < 500
    assert api.get(address + joint + "&".join(f"a{n}=1" for n in range(5000))).status < 500


def test_a_search_of_models_names_so_many_tags(api, workspace):
    address = f"/modelmanagement/v1.0{workspace.scope}/models"
    for key in ("tags", "properties"):
        some = ",".join(f"k{n}=v" for n in range(MOST_TERMS))
        assert api.get(f"{address}?{key}={some}").status == 200
        reply = api.get(f"{address}?{key}={some},more")
        assert reply.status == 400
        assert str(MOST_TERMS) in reply.body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "most"),
    [
        ("POST", "{P}/PipelineDrafts", {f"k{n}": "v" for n in range(MOST_TERMS + 1)}, MOST_TERMS),
        (
            "POST",
            "/credential/v2.0{W}/secrets:getbatch",
            {"secrets": [{"name": "s"}] * (credential.MOST + 1)},
            credential.MOST,
        ),
        (
            "POST",
            "/content/v2.0{W}/snapshots/getblob",
            {"FileNames": ["a"] * 11},
            10,
        ),
        (
            "POST",
            "/artifact/v2.0{W}/artifacts/batch/metadata/LocalUpload/none",
            {"paths": [{"path": "a"}] * 11},
            10,
        ),
        ("POST", "{P}/Pipelines/Create", {"Name": "p", "Graph": {"Edges": [{}] * 11}}, 10),
    ],
    ids=["drafts", "secrets", "snapshots", "artifacts", "graphs"],
)
def test_lists_whose_items_cost_more_than_their_bytes_are_bounded(
    api, settings, monkeypatch, method, path, body, most
):
    settings.STUDIO_SNAPSHOT_MAX_FILES = 10
    monkeypatch.setattr(parsers, "MAX_VALUES", 10_000)
    monkeypatch.setattr(local_uploads, "MOST_PATHS", 10)
    monkeypatch.setattr(checks, "MOST_ROWS", 10)
    reply = api.call(method, path.format(P=api.P, W=api.workspace.scope), body)
    assert reply.status == 400
    assert str(most) in reply.body["error"]["message"]


def bomb(levels: int, wide: int = 10) -> str:
    """Each level stands for ten of the one below."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels + 1)]
    return "\n".join([*lines, f"paths: [{{file: *a{levels}}}]"])


MERGED = "a0: &a0 {k: 1}\n" + "\n".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        (bomb(8), f"{dataflow.MOST_VALUES:,} values"),
        (MERGED, f"{dataflow.MOST_VALUES:,} values"),
        ("paths: " + "[" * 900 + "]" * 900, f"{yaml_bounds.DEEPEST} levels"),
        ("paths: [" + "[]," * dataflow.MOST_VALUES + "]", f"{dataflow.MOST_VALUES:,} values"),
    ],
    ids=["aliases", "merges", "levels", "values"],
)
@pytest.mark.parametrize("route", ["datasets", "saveddatasets"])
def test_yaml_that_stands_for_more_than_it_says_is_refused(api, route, text, bound):
    definition = json.dumps({"meta": {"RsDataflow": text}})
    body = {"name": "d", "datasetType": "file", "latest": {"dataflow": definition}}
    if route == "saveddatasets":
        body = {"datasetType": "file", "dataflowJson": definition}
    reply = api.post(f"{api.D}/{route}", body)
    assert reply.status == 400
    assert bound in reply.body["error"]["message"]


def test_a_few_aliases_are_taken(api):
    text = "base: &b https://host.test/a.csv\npaths:\n- file: *b\n- file: *b\n"
    definition = json.dumps({"meta": {"RsDataflow": text}})
    body = {"datasetType": "file", "dataflowJson": definition}
    assert api.post(f"{api.D}/saveddatasets", body).status == 200


def test_a_zip_is_packed_once_for_all_its_ranges(api, anonymous, workspace, monkeypatch):
    content = f"/content/v2.0{workspace.scope}/snapshots"
    _, snapshot = send(api, anonymous, content, {"a.py": b"print(1)\n", "b.py": b"x" * 1000})
    made = []
    pack = zips.pack
    monkeypatch.setattr(zips, "pack", lambda *arguments: made.append(1) or pack(*arguments))
    uri = api.post(f"{content}/{snapshot}/zip").body["zipSasUri"]
    address = uri[uri.index("/snapshots/") :]
    whole = anonymous.get(address).raw
    parts = [
        anonymous.get(address, Range=f"bytes={start}-{start + 99}").raw
        for start in range(0, len(whole), 100)
    ]
    assert b"".join(parts) == whole
    assert len(parts) > 2 and len(made) == 1


def test_the_nearest_name_is_looked_for_a_few_times(monkeypatch):
    asked = []
    monkeypatch.setattr(values, "nearest", lambda name, known: asked.append(name) or "")
    found = values.resolve({}, assignments={f"p{n}": "v" for n in range(1000)})
    assert len(asked) == values.MOST_HINTS
    assert len(found.warnings) == 1000
