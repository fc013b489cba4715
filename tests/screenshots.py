"""Pictures of the main pages, in both themes, from the demo: `python -m tests.screenshots [folder]`.

Lists are also drawn at 320 px. A page that does not answer 200, or that is wider than its window, is named."""

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.studio import LiveStudio

WIDE, NARROW = 1440, 320
LISTS = {
    "runs": "/pipelines/runs/",
    "runs-failed": "/pipelines/runs/?status=Failed",
    "endpoints": "/pipelines/endpoints/",
    "published": "/pipelines/published/",
    "schedules": "/pipelines/schedules/",
    "datasets": "/datasets/",
    "datastores": "/datastores/",
    "compute": "/compute/",
    "tokens": "/tokens/",
}
# Prints the addresses of what the other pictures show.
FIND = """
import json
from endpoints.models import Dataset, PipelineEndpoint, PublishedPipeline
from runs.models import Run, Schedule
def endpoint(name):
    return PipelineEndpoint.objects.get(name=name).get_absolute_url()
def run(name, **wanted):
    runs = Run.objects.filter(kind="Pipeline", endpoint__name=name, finished_at__isnull=False, **wanted)
    return runs.latest("pk").get_absolute_url()
print(json.dumps({
    "endpoint": endpoint("churn-train"),
    "endpoint-korean": endpoint("수요-예측"),
    "endpoint-disabled": endpoint("legacy-report"),
    "endpoint-wide": endpoint("nightly-scoring"),
    "pipeline": PublishedPipeline.objects.filter(name="churn-train").latest("pk").get_absolute_url(),
    "schedule": Schedule.objects.get(name="수요 예측, 여섯 시간마다").get_absolute_url(),
    "dataset": "/datasets/%s/" % Dataset.objects.get(name="고객-이탈-표본").uuid,
    "run": run("churn-train", status="Completed", endpoint_version=2),
    "run-failed": run("churn-train", status="Failed"),
    "run-wide": run("nightly-scoring", status="Failed"),
    "run-deep": run("카탈로그-재구축", status="Completed"),
    "run-korean": run("수요-예측", status="Failed"),
    "run-retried": run("image-embeddings", status="Completed"),
    "run-canceled": run("invoice-ocr", status="Canceled"),
}))
"""
ENDPOINT_TABS = ("", "versions/", "runs/", "schedules/", "consume/", "new-run/")
RUN_TABS = ("", "steps/", "outputs/", "metrics/", "images/", "parameters/", "snapshot/", "details/")
TABS = {
    "endpoint": ENDPOINT_TABS,
    "endpoint-korean": ("", "runs/"),
    "endpoint-wide": ("", "runs/"),
    "pipeline": ("", "runs/"),
    "schedule": ("", "edit/"),
    "run": RUN_TABS,
    "run-failed": (*RUN_TABS, "log/"),
    "run-wide": ("", "steps/"),
    "run-deep": ("", "steps/"),
    "run-retried": ("", "steps/"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("screenshots"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory(prefix="studio-pictures-") as place,
        LiveStudio(Path(place), demo=True) as live,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        with browser:
            Photographer(live, browser, folder).draw_all()


class Photographer:
    def __init__(self, live: LiveStudio, browser: Browser, folder: Path):
        self.live, self.browser, self.folder = live, browser, folder
        self.cookies = self._sign_in()
        self.pages = dict(self._addresses())

    def draw_all(self) -> None:
        for theme in ("light", "dark"):
            with self._context(theme, WIDE) as context:
                for name, address in self.pages.items():
                    self._draw(context.new_page(), address, f"{name}-{theme}")
            with self._context(theme, NARROW) as context:
                for name in ("home", *LISTS):
                    page = context.new_page()
                    self._draw(page, self.pages[name], f"{name}-{NARROW}-{theme}")

    def _context(self, theme: str, width: int) -> BrowserContext:
        return self.browser.new_context(
            base_url=self.live.http,
            storage_state=self.cookies,
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            timezone_id="Asia/Seoul",
        )

    def _draw(self, page: Page, address: str, name: str) -> None:
        answer = page.goto(address, wait_until="networkidle")
        if answer is None or answer.status != 200:
            print(f"{name}: {address} answered {answer and answer.status}")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > page.viewport_size["width"]:
            print(f"{name}: the page is {width} px wide")
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        page.close()

    def _sign_in(self):
        context = self.browser.new_context(base_url=self.live.http)
        page = context.new_page()
        page.goto("/sign-in/")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(self.live.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(r"/$"))
        cookies = context.storage_state()
        context.close()
        return cookies

    def _addresses(self) -> Iterator[tuple[str, str]]:
        yield "home", "/"
        yield from LISTS.items()
        found = json.loads(self.live.manage("shell", "-v", "0", "-c", FIND))
        for name, address in found.items():
            for tab in TABS.get(name, ("",)):
                yield f"{name}-{tab}".strip("-/"), address + tab


if __name__ == "__main__":
    main()
