"""What small requests cost that once cost minutes; the floor is an ordinary request to the same route."""

import json
import statistics
import time
import urllib.error
import urllib.request

from tests.studio import LiveStudio

ALIASES = "a0: &a0 [x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
)
DATAFLOW = "paths:\n- file: https://host.test/a.csv\n"


def rows(live: LiveStudio):
    """`(what, ours, floor, limit)` in ms."""
    query = f"/history/v1.0{live.scope}/runs:query"
    models = f"/modelmanagement/v1.0{live.scope}/models"
    saved = f"/dataset/v1.0{live.scope}/saveddatasets"
    for what, path, ordinary, costly in (
        ("15 MiB of empty lists", query, b"{}", b'{"a":[' + b"[]," * (5 << 20) + b"[]]}"),
        ("500,000 values, all taken", query, b"{}", b'{"a":[' + b"1," * 499_000 + b"1]}"),
        ("20,000 tags in a search of models", models, None, f"?tags={','.join('a' * 20_000)}"),
        ("aliases that stand for a hundred million", saved, flow(DATAFLOW), flow(ALIASES)),
        ("4 MiB of blanks to a trigger", "/endpoints/none/submit", b"{}", b" " * (4 << 20) + b"{}"),
    ):
        yield (
            f"{what}, ms",
            milliseconds(live, path, costly),
            milliseconds(live, path, ordinary),
            None,
        )


def flow(text: str) -> bytes:
    definition = json.dumps({"meta": {"RsDataflow": text}})
    return json.dumps({"datasetType": "file", "dataflowJson": definition}).encode()


def milliseconds(live: LiveStudio, path: str, what: bytes | str | None) -> float:
    """Of a body, or of a GET with a query."""
    is_query = not isinstance(what, bytes)
    address = live.http + path + (what or "" if is_query else "")
    taken = []
    for _ in range(5):
        call = urllib.request.Request(address, None if is_query else what)  # noqa: S310
        call.add_header("Authorization", f"Bearer {live.token}")
        started = time.perf_counter()
        try:
            urllib.request.urlopen(call, timeout=120).read()  # noqa: S310
        except urllib.error.HTTPError as error:
            assert error.code in (400, 404, 413), error.code
            error.read()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
