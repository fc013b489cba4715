"""History at 100,000 runs: the first page and a deep one, as page and as API."""

import re
import statistics
import time
import urllib.request

from tests.studio import LiveStudio

RUNS = 100_000
FILL = """
from endpoints.models import PipelineEndpoint
from runs.submission import EndpointTarget, RunSettings, Submission
from studio.core.access import system_actor
from studio.demo.copies import long_history
endpoint = PipelineEndpoint.objects.get(name="one")
submission = Submission(EndpointTarget(endpoint), RunSettings("history"))
long_history(system_actor(endpoint.workspace, "bench"), submission, runs={runs})
"""
DEEP = """
from runs.models import Kind, Run
print(Run.objects.get(experiment__name="history", kind=Kind.PIPELINE, number=1000).pk)
"""


def rows(live: LiveStudio):
    """`(what, deep page in ms, first page in ms, limit)`: the first page is the floor of the deep one."""
    live.manage("shell", "-c", FILL.format(runs=RUNS))
    deep = int(live.manage("shell", "-v", "0", "-c", DEEP))
    page = signed_in(live)
    yield (
        "runs page, deep at 100,000 runs, ms (floor: first page)",
        page(f"/pipelines/runs/?before={deep}"),
        page("/pipelines/runs/"),
        1.5,
    )
    query = f"/history/v1.0{live.scope}/experiments/history/runs:query"
    first = {"filter": "(ParentRunId eq null)", "top": 50}
    answer = live.call("POST", query, first)[1]
    far = {**first, "continuationToken": str(deep)} if answer["continuationToken"] else first
    yield (
        "runs API, deep at 100,000 runs, ms (floor: first page)",
        milliseconds(lambda: live.call("POST", query, far)),
        milliseconds(lambda: live.call("POST", query, first)),
        1.5,
    )


def milliseconds(call) -> float:
    call()
    times = []
    for _ in range(9):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def signed_in(live: LiveStudio):
    """A function that times a page as the administrator sees it."""
    jar = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(jar)
    form = opener.open(f"{live.http}/sign-in/").read().decode()
    key = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form).group(1)
    data = f"csrfmiddlewaretoken={key}&username=admin&password={live.password}".encode()
    opener.open(f"{live.http}/sign-in/", data)
    return lambda path: milliseconds(lambda: opener.open(live.http + path).read())
