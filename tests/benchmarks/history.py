"""History at 100,000 runs: the first page and a deep one, as page and as API."""

import re
import statistics
import time
import urllib.request

from tests.studio import LiveStudio

RUNS = 100_000
FILL = """
import uuid
from django.utils import timezone
from endpoints.models import PipelineEndpoint
from runs.models import Experiment, Kind, PipelineRun, Run, Source
endpoint = PipelineEndpoint.objects.get(name="one")
pipeline = endpoint.default_version.pipeline
experiment, _ = Experiment.objects.get_or_create(workspace=endpoint.workspace, name="history")
now = timezone.now()
for start in range(0, {runs}, 5000):
    made = Run.objects.bulk_create([
        Run(workspace=endpoint.workspace, experiment=experiment, kind=Kind.PIPELINE, number=start + n,
            status="Completed", display_name=f"past_run_{{start + n}}", pipeline=pipeline,
            endpoint=endpoint, endpoint_version=0, submitted_by="bench", created_at=now,
            started_at=now, finished_at=now)
        for n in range(5000)])
    PipelineRun.objects.bulk_create([
        PipelineRun(run=run, graph=pipeline.graph, submitted_at=now, source=Source.REST) for run in made])
from django.db.models import F
Run.objects.filter(root=None).update(root=F("id"))
"""


def rows(live: LiveStudio):
    """`(what, deep page in ms, first page in ms, limit)`: the first page is the floor of the deep one."""
    live.manage("shell", "-c", FILL.format(runs=RUNS))
    oldest = int(
        live.manage(
            "shell", "-v", "0", "-c", "from runs.models import Run;print(Run.objects.count())"
        )
    )
    deep = oldest - RUNS + 1000
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
