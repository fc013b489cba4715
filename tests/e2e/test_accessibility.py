"""Every page that an Admin can open is walked, in light and dark and from a phone's width to a
desk's: axe-core finds nothing, and nothing is cut, broken in mid-word or wider than the screen."""

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from django.urls import get_resolver, reverse

from tests.studio import LiveStudio

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUICK = {"preload": False, "iframes": False, "resultTypes": ["violations"]}
EVERYTHING = QUICK | {"runOnly": {"type": "tag", "values": TAGS}}
OF_COLOURS = ["color-contrast", "link-in-text-block"]
COLOURS = QUICK | {"runOnly": {"type": "rule", "values": OF_COLOURS}}
SIZES = {1280: 800, 768: 1000, 320: 640}
LAYOUT = Path(__file__).with_name("layout.js").read_text(encoding="utf-8")
LONG = "the-name-of-an-experiment-that-somebody-has-made-as-long-as-it-may-be"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A studio in which each page has something to show."""
    env = {"STUDIO_WEB_ALLOWED_HOSTS": "127.0.0.1"}
    with LiveStudio(tmp_path_factory.mktemp("walked"), env=env) as studio:
        yield studio


@pytest.fixture(scope="module")
def shown(live) -> dict[str, list[dict]]:
    """By the noun that begins the name of a route: the arguments of the pages to open."""
    live.manage("publish", "tests/pipelines/holder", "--endpoint", "holder")
    failed = live.trigger("flaky", ExperimentName=LONG, Tags={"team": "growth", "tier": "1" * 60})
    done = live.trigger("compare", Description="첫 번째 실행")
    data = live.trigger("titanic")
    live.trigger("holder", ParameterAssignments={"folder": str(live.data)})
    endpoint = live.get(f"{live.pipelines}/PipelineEndpoints/Name?name=flaky")[1]
    schedule = _schedule(live, endpoint["Id"])
    pipeline = live.get(f"{live.pipelines}/PipelineRuns/{data}")[1]["PipelineId"]
    for run in (failed, done, data):
        live.wait(run)
    return {
        "run": [{"uuid": failed}, {"uuid": done}],
        "endpoint": [{"uuid": endpoint["Id"]}],
        "pipeline": [{"uuid": pipeline}],
        "schedule": [{"uuid": schedule}],
        "datastore": [{"name": "workspaceblobstore"}],
        "dataset": [{"uuid": _dataset(live)}],
    }


def _dataset(live) -> str:
    files = "paths:\n- file: https://host.test/passengers.csv\n"
    flow = json.dumps({"blocks": [], "meta": {"RsDataflow": files}})
    body = {
        "name": "passengers",
        "description": "승객 목록",
        "isVisible": True,
        "datasetType": "tabular",
        "latest": {"dataflow": flow, "properties": {}},
    }
    path = f"/dataset/v1.0{live.scope}/datasets?registerAsPending=false"
    status, made = live.call("POST", path, body)
    assert status == 200, made
    return made["datasetId"]


def _schedule(live, endpoint: str) -> str:
    body = {
        "Name": "every-weekday-morning",
        "PipelineEndpointId": endpoint,
        "ScheduleType": "0",
        "PipelineSubmissionInfo": {"ExperimentName": "nightly"},
        "Recurrence": {
            "Frequency": "Week",
            "Interval": 1,
            "TimeZone": "Korea Standard Time",
            "Schedule": {"WeekDays": ["Monday", "Friday"], "Hours": [2], "Minutes": [30]},
        },
    }
    status, made = live.call("POST", f"{live.pipelines}/Schedules/Create", body)
    assert status == 200, made
    return made["Id"]


@pytest.fixture(params=["en", "ko"])
def page(request, browser, live):
    """A person who has signed in, and reads this language."""
    context = browser.new_context(base_url=live.http, locale=request.param)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/sign-in/")
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill(live.password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/$"))
    yield page
    context.close()


def addresses(page, shown) -> list[str]:
    """Of all routes with a name, those that answer with a whole page."""
    found = ["/", "/password/", "/workspace/", "/no-such-page/"]
    for app in get_resolver().url_patterns:
        if getattr(app, "app_name", None) not in ("endpoints", "runs", "core"):
            continue
        for route in app.url_patterns:
            pattern = f"/{app.pattern}{route.pattern}"
            if not route.name or not re.fullmatch(r"[\w/<:>-]+/", pattern) or "slug:" in pattern:
                continue  # an alias, a file, an address of the portal, a fragment
            noun = route.name.split("-")[0]
            if noun == "token" and "<" in pattern:
                continue  # its one page needs a token that is still valid
            assert "<" not in pattern or noun in shown, f"nothing to show on {pattern}"
            name = f"{app.app_name}:{route.name}"
            named = shown[noun] if "<" in pattern else [{}]
            found += [reverse(name, kwargs=arguments) for arguments in named]
    return [address for address in dict.fromkeys(found) if _is_page(page, address)]


def _is_page(page, address: str) -> bool:
    answer = page.request.get(address, max_redirects=0)
    assert answer.status < 500, (address, answer.status)
    is_whole = answer.text().lstrip().startswith("<!doctype html>")
    return is_whole and (answer.status == 200 or address == "/no-such-page/")


def accessible(page, options) -> list[str]:
    page.evaluate(f"globalThis.axe ? null : (() => {{ {AXE} }})()")
    found = page.evaluate(
        f"axe.run(document, {json.dumps(options)}).then(found => found.violations)"
    )
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))} · {node['html'][:150]}"
        for rule in found
        for node in rule["nodes"]
    ]


def test_every_page_is_accessible_and_fits(page, shown, request):
    found = []
    is_english = "[en]" in request.node.name
    for address in addresses(page, shown):
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(address)
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            said = page.evaluate(LAYOUT)
            if is_english and width != 768:
                said += accessible(page, EVERYTHING)
            found += [f"{address} at {width}: {text}" for text in said]
        if is_english:
            page.set_viewport_size({"width": 1280, "height": 800})
            page.emulate_media(color_scheme="dark")
            found += [f"{address} in dark: {text}" for text in accessible(page, COLOURS)]
    assert not found, "\n".join(found)
