"""Two weeks of a team, hour by hour: what was published, changed and called, and what went wrong."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from endpoints import data, services
from endpoints.models import Datastore, PipelineEndpoint
from endpoints.seed import DATASTORE
from runs.drafts.edit import clone_pipeline
from runs.models import Run, Schedule, ScheduleTick, Source, TickOutcome
from runs.schedules.edit import create_schedule, disable_schedule
from runs.schedules.scheduler import STILL_RUNNING
from runs.services.registered import create_asset, register_model
from runs.states import Status
from runs.submission import EndpointTarget, RunSettings, Submission, submit
from studio.core import audit, favourites
from studio.core.access import Actor, person, system_actor
from studio.core.errors import Refused
from studio.core.models import Door, Workspace
from studio.demo import people, pipelines
from studio.demo.chance import EXPERIMENTS, Chance
from studio.demo.dating import date, dated
from studio.demo.history import History, Past
from studio.demo.pipelines import Pipeline

DAYS = 14
SETTLED = timedelta(minutes=45)  # every run of the past is over by then
SEOUL = "Korea Standard Time"


def why_not(workspace: Workspace | None) -> str:
    """Why a workspace cannot be filled; empty if it can."""
    if workspace is None or not Run.objects.filter(workspace=workspace).exists():
        return ""
    return (
        "--demo fills a new data folder, and this one has runs already: leave --demo out, or choose"
        " another folder with --data"
    )


@transaction.atomic  # an interrupted start begins again
def fill(workspace: Workspace, *, since: datetime) -> None:
    """Fill a workspace that has no runs yet. What was made `since` then was there when the story begins."""
    story = Story(workspace)
    date(since, story.day(0), door=Door.STUDIO)
    story.tell()


@dataclass
class Story:
    workspace: Workspace
    now: datetime = field(default_factory=timezone.now)
    chance: Chance = field(default_factory=Chance)
    history: History = field(default_factory=History)
    happenings: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    counter: Iterator[int] = field(default_factory=count)
    endpoints: dict[str, PipelineEndpoint] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def tell(self) -> None:
        self.team = people.gather(self.workspace, at=self.day(0, 0.1))
        with tempfile.TemporaryDirectory(prefix="studio-demo-") as folder:
            self.folder = Path(folder)
            self._definitions()
            self._calls()
            self._mishaps()
            while self.happenings:
                at, _, happen = heappop(self.happenings)
                happen(at)
        self.history.write()
        for name, each in (("minji.kim", "churn-train"), ("alex.morgan", "수요-예측")):
            favourites.mark(self.team[name], self.endpoints[each], on=True)
        favourites.mark(self.team.admin, self.endpoints["churn-train"], on=True)
        self._live()

    def day(self, number: float, hour: float = 0.0) -> datetime:
        """A time in the two weeks; days begin when work does."""
        begin = self.now - timedelta(days=DAYS)
        return begin + timedelta(days=number, hours=hour)

    def at(self, moment: datetime, happen: Callable[[datetime], None]) -> None:
        if moment <= self.now - SETTLED:
            heappush(self.happenings, (moment, next(self.counter), happen))

    def doing(self, moment: datetime, name: str, change: Callable[[Actor], object]) -> None:
        """Somebody changes something through a service."""

        def happen(at: datetime) -> None:
            self.history.write()
            with dated(at, address=people.ADDRESSES[name]):
                change(self.team[name])

        self.at(moment, happen)

    # --- definitions ------------------------------------------------------------------------------
    def _definitions(self) -> None:
        self._data()
        for number, (endpoint, pipeline, name) in enumerate(
            (
                ("churn-train", pipelines.CHURN[0], "minji.kim"),
                ("수요-예측", pipelines.DEMAND, "alex.morgan"),
                ("nightly-scoring", pipelines.SCORING, "minji.kim"),
                ("카탈로그-재구축", pipelines.CATALOGUE, "minji.kim"),
                ("invoice-ocr", pipelines.INVOICES, "alex.morgan"),
                ("image-embeddings", pipelines.EMBEDDINGS, "alex.morgan"),
                ("품질-검사", pipelines.QUALITY, "minji.kim"),
                ("legacy-report", pipelines.LEGACY, "ci-bot"),
            )
        ):
            self._publish(self.day(0, 0.4 + number * 0.1), endpoint, pipeline, name, "1.0")
        self._publish(self.day(4, 5), "churn-train", pipelines.CHURN[1], "minji.kim", "1.1")
        self._publish(self.day(8, 6), "churn-train", pipelines.CHURN[2], "minji.kim", "2.0")
        self._publish(
            self.day(9, 2),
            "수요-예측",
            replace(pipelines.DEMAND, description="기온과 행사를 함께 보고 수요를 예측합니다."),
            "alex.morgan",
            "1.1",
        )
        self.doing(self.day(6, 1), "minji.kim", lambda who: self._default(who, 0))
        self.doing(self.day(6, 1.1), "minji.kim", self._disable_second)
        self.doing(
            self.day(0, 2),
            "alex.morgan",
            lambda who: services.configure(
                who, self.endpoints["invoice-ocr"], is_strict=True, tags={"team": "회계"}
            ),
        )
        self.doing(
            self.day(5, 4),
            "minji.kim",
            lambda who: services.disable(who, self.endpoints["legacy-report"]),
        )
        self._schedule_all()
        for number, name in enumerate(("churn-train", "품질-검사")):
            self.doing(self.day(11 + number, 3), "alex.morgan", partial(self._draft, name))

    def _publish(
        self, moment: datetime, endpoint: str, pipeline: Pipeline, name: str, version: str
    ) -> None:
        def publish(who: Actor) -> None:
            folder = self.folder / f"{len(self.endpoints)}-{endpoint}-{version}"
            services.publish_folder(
                who,
                pipeline.write(folder),
                version=version,
                endpoint=endpoint,
                set_default=True,
            )
            self.endpoints[endpoint] = PipelineEndpoint.objects.get(
                workspace=self.workspace, name=endpoint
            )

        self.doing(moment, name, publish)

    def _default(self, who: Actor, number: int) -> None:
        endpoint = self.endpoints["churn-train"]
        services.set_default(who, endpoint, endpoint.versions.get(number=number))
        endpoint.refresh_from_db()

    def _disable_second(self, who: Actor) -> None:
        version = self.endpoints["churn-train"].versions.select_related("pipeline").get(number=1)
        services.disable(who, version.pipeline)

    def _draft(self, endpoint: str, who: Actor) -> None:
        version = self.endpoints[endpoint].default_version
        if version is not None:
            clone_pipeline(who, version.pipeline)

    def _data(self) -> None:
        for name, about in (("gpu-a100", "두 대의 A100"), ("cpu-small", "Small jobs of the night")):
            self.doing(
                self.day(0, 0.2),
                "minji.kim",
                partial(services.create_compute, name=name, description=about),
            )
        tables = (
            ("customers", "Customers of the shop, one row each", 1, self.day(0, 0.3)),
            ("customers", "Customers of the shop, one row each", 2, self.day(7, 2)),
            ("고객-이탈-표본", "이탈 여부가 표시된 고객 표본", 1, self.day(0, 0.3)),
            ("고객-이탈-표본", "이탈 여부가 표시된 고객 표본, 2분기", 2, self.day(8, 1)),
            ("송장-스캔", "Scanned invoices of the last month", 1, self.day(1, 1)),
        )
        for name, about, number, moment in tables:
            self.doing(moment, "minji.kim", partial(self._register, name, about, number))

    def _register(self, name: str, about: str, number: int, who: Actor) -> None:
        store = Datastore.objects.get(workspace=self.workspace, name=DATASTORE)
        path = f"demo/{name}/v{number}/data.csv"
        place = data.resolve(store, path)
        rows = [
            f"{each},{self.chance.random.choice(('서울', '부산', '제주'))},{each % 90}"
            for each in range(400)
        ]
        place.store.write_bytes(place.path, "\n".join(["id,지역,days", *rows]).encode())
        uri = data.datastore_uri(self.workspace, DATASTORE, path)
        is_table = name != "송장-스캔"
        services.register_dataset(
            who,
            name=name,
            dataset_type="tabular" if is_table else "file",
            dataflow=data.write_dataflow([uri], tabular=is_table),
            description=about,
            tags={"team": "growth"} if is_table else {"team": "회계"},
            create_new_version=True,
        )

    # --- schedules --------------------------------------------------------------------------------
    def _schedule_all(self) -> None:
        begin = f"{self.day(0):%Y-%m-%dT%H:%M:%S}"

        def recurrence(frequency: str, interval: int = 1, **times: Any) -> dict[str, Any]:
            rule = {"frequency": frequency, "interval": interval, "start_time": begin}
            return {**rule, "time_zone": SEOUL, **times}

        plans: tuple[tuple[str, str, dict[str, Any], dict[str, str]], ...] = (
            ("nightly-retrain", "churn-train", recurrence("Day", hours=[2], minutes=[30]), {}),
            ("수요 예측, 여섯 시간마다", "수요-예측", recurrence("Hour", 6), {"지역": "부산"}),
            ("nightly-scoring", "nightly-scoring", recurrence("Day", hours=[23], minutes=[0]), {}),
            ("카탈로그 주간", "카탈로그-재구축",
             recurrence("Week", week_days=["Sunday", "Wednesday"], hours=[5], minutes=[15]), {}),
            ("legacy-daily", "legacy-report", recurrence("Day", hours=[7], minutes=[0]), {}),
        )  # fmt: skip
        for name, endpoint, rule, values in plans:
            self.doing(
                self.day(0, 3), "minji.kim", partial(self._schedule, name, endpoint, rule, values)
            )
        self.doing(
            self.day(10, 4),
            "minji.kim",
            lambda who: disable_schedule(who, self.schedules["legacy-daily"]),
        )

    def _schedule(
        self,
        name: str,
        endpoint: str,
        rule: Mapping[str, Any],
        values: Mapping[str, str],
        who: Actor,
    ) -> None:
        schedule = create_schedule(
            who,
            name=name,
            settings=RunSettings(experiment=EXPERIMENTS[endpoint], assignments=values or None),
            endpoint=self.endpoints[endpoint],
            recurrence=rule,
            skips_while_running=True,
        )
        self.schedules[name] = schedule

    def _ticks(self) -> Iterator[tuple[datetime, str]]:
        """When each schedule was due. They are made only later, hence the rules again."""
        seoul = timedelta(hours=9)
        for day in range(DAYS + 1):
            midnight = (self.day(day) + seoul).replace(hour=0, minute=0, second=0, microsecond=0)
            for hours, name in (
                (2.5, "nightly-retrain"),
                (5.25, "카탈로그 주간"),
                (7, "legacy-daily"),
                (23, "nightly-scoring"),
            ):
                if name != "카탈로그 주간" or midnight.weekday() in (2, 6):
                    yield midnight + timedelta(hours=hours) - seoul, name
        for number in range(DAYS * 4):
            yield self.day(number / 4).replace(microsecond=0), "수요 예측, 여섯 시간마다"

    def _tick(self, name: str, at: datetime) -> None:
        schedule = self.schedules.get(name)
        if schedule is None or not schedule.is_active or at <= self.day(0, 3):
            return
        tick = ScheduleTick(schedule=schedule, due_at=at, created_at=at)
        endpoint = self.endpoints[schedule.target.name]
        reason = services.why_disabled(endpoint, None)
        if reason or self.chance.random.random() < 0.06:
            tick.outcome, tick.reason = TickOutcome.SKIPPED, reason or STILL_RUNNING
        elif self.chance.random.random() < 0.04:
            tick.outcome = TickOutcome.FAILED
            tick.reason = "Compute target gpu-v100 not found in workspace. It has: cpu-cluster."
        else:
            tick.outcome = TickOutcome.FIRED
            stored = RunSettings.from_json(schedule.settings)
            past = self._run(
                at,
                system_actor(self.workspace, schedule.created_by),
                endpoint.name,
                replace(
                    stored,
                    display_name=f"{schedule.name}-{at:%Y%m%dT%H%M%SZ}",
                    run_type="Schedule",
                ),
                Source.SCHEDULE,
                schedule=schedule,
                door=Door.STUDIO,
            )
            tick.run = past.run
        self.history.ticks.append(tick)

    # --- calls ------------------------------------------------------------------------------------
    def _calls(self) -> None:
        for at, name in self._ticks():
            self.at(at, partial(self._tick, name))
        callers = (
            ("erp-batch", "invoice-ocr", 9, Source.REST),
            ("minji.kim", "churn-train", 2.2, Source.STUDIO),
            ("ci-bot", "품질-검사", 4, Source.REST),
            ("alex.morgan", "image-embeddings", 1.6, Source.SDK),
            ("jiho.park", "수요-예측", 1.2, Source.STUDIO),
            ("jiho.park", "카탈로그-재구축", 0.2, Source.STUDIO),
            ("ci-bot", "legacy-report", 1.0, Source.REST),
        )
        for name, endpoint, per_day, source in callers:
            for number in range(int(per_day * DAYS)):
                moment = self.day(
                    1 + (DAYS - 1) * (number + self.chance.random.random()) / (per_day * DAYS)
                )
                if name in ("erp-batch", "ci-bot") or self.chance.random.random() < 0.8:
                    self.at(moment, partial(self._call, name, endpoint, source))

    def _call(self, name: str, endpoint: str, source: Source, at: datetime) -> None:
        target = self.endpoints[endpoint]
        if not target.is_active or not PipelineEndpoint.objects.get(pk=target.pk).is_active:
            self._refused(name, endpoint, RunSettings(experiment=EXPERIMENTS[endpoint]), at)
            return
        settings = RunSettings(
            experiment=EXPERIMENTS[endpoint],
            assignments=self.chance.values(endpoint),
            tags=self.chance.tags(endpoint),
            display_name=self.chance.name(),
        )
        door = Door.PAGE if source == Source.STUDIO else Door.REST
        address = people.ADDRESSES[name]
        self._run(at, self.team[name], endpoint, settings, source, door=door, address=address)

    def _run(
        self,
        at: datetime,
        actor: Actor,
        endpoint: str,
        settings: RunSettings,
        source: Source,
        *,
        schedule: Schedule | None = None,
        **origin: Any,
    ) -> Past:
        target = PipelineEndpoint.objects.select_related("default_version__pipeline__graph").get(
            pk=self.endpoints[endpoint].pk
        )
        request: dict[str, Any] = {"ExperimentName": settings.experiment}
        if settings.assignments:
            request["ParameterAssignments"] = settings.assignments
        submission = Submission(
            EndpointTarget(target), settings, source=source, schedule=schedule, request=request
        )
        asked = self.history.ask(actor, submission, at=at)
        steps = [node.name for node in asked.examined.blueprint.graph.nodes.values()]
        number = target.default_version.number if target.default_version else 0
        age = (at - self.day(0)) / timedelta(days=DAYS)
        values = settings.assignments or {}
        endings = self.chance.endings(endpoint, number, steps, values, age=age)
        canceled = self.chance.random.uniform(2, 9) if self.chance.random.random() < 0.03 else None
        past = self.history.add(asked, at=at, endings=endings, canceled_after=canceled, **origin)
        self.chance.last[endpoint, number] = past
        if endpoint == "churn-train" and past.run.status == Status.COMPLETED and number == 2:
            self._model(past, at)
        return past

    def _model(self, past: Past, at: datetime) -> None:
        """Some runs are followed by somebody who registers what they made."""
        step = next(each for each in past.steps if each.run.name == "evaluate")

        def register(who: Actor) -> None:
            asset = create_asset(
                who, name="churn-model", paths=["outputs/model.json"], run=step.run
            )
            register_model(who, name="churn-model", asset=asset, framework="ScikitLearn")

        if self.chance.random.random() < 0.4:
            self.doing(at + timedelta(minutes=4), "minji.kim", register)

    # --- what was refused -------------------------------------------------------------------------
    def _mishaps(self) -> None:
        wrong: tuple[tuple[str, str, dict[str, str], int | None], ...] = (
            ("erp-batch", "invoice-ocr", {"folder": "invoices", "langauge": "ko"}, None),
            ("erp-batch", "invoice-ocr", {"language": "de"}, None),
            ("ci-bot", "churn-train", {"epochs": "twenty"}, None),
            ("ci-bot", "churn-train", {}, 1),
            ("ci-bot", "churn-train", {}, 7),
            ("sora.lee", "수요-예측", {"지역": "서울"}, None),
        )
        for number in range(24):
            name, endpoint, values, version = wrong[number % len(wrong)]
            settings = RunSettings(experiment=EXPERIMENTS[endpoint], assignments=values)
            moment = self.day(7 + 6.9 * number / 24, self.chance.random.random())
            call = partial(self._refused, name, endpoint, settings, version=version)
            self.at(moment, call)
        for number in range(DAYS * 3):
            moment = self.day(number / 3, self.chance.random.random() * 2)
            self.at(moment, partial(self._sign_in, self.chance.random.choice(people.TEAM[:4])[0]))
        for number, name in enumerate(("minji.kim", "root", "administrator", "관리자", "sora.lee")):
            for tries in range(3):
                moment = self.day(8 + number, 11 + tries / 60)
                self.at(moment, partial(self._failed_sign_in, name))

    def _refused(
        self,
        name: str,
        endpoint: str,
        settings: RunSettings,
        at: datetime,
        *,
        version: int | None = None,
    ) -> None:
        self.history.write()
        actor = self.team[name]
        target = PipelineEndpoint.objects.select_related("default_version__pipeline__graph").get(
            pk=self.endpoints[endpoint].pk
        )
        with dated(at, door=Door.REST, address=people.ADDRESSES[name]):
            try:
                submit(actor, Submission(EndpointTarget(target, version), settings))
            except (Refused, ValidationError) as error:
                audit.refuse_for(actor, error, kind="PipelineEndpoint", uuid=target.uuid)
            else:
                raise AssertionError(f"{endpoint} was to refuse {settings.assignments}")

    def _sign_in(self, name: str, at: datetime) -> None:
        user = self.team[name].user
        if user is not None:
            event = audit.event_of(person(user), "sign in", user)
            self.history.note(event, at=at, door=Door.PAGE, address=people.ADDRESSES[name])

    def _failed_sign_in(self, name: str, at: datetime) -> None:
        self.history.write()
        address = people.ADDRESSES.get(name, "203.0.113.40")
        with dated(at, address=address):
            audit.count(
                audit.nobody(name),
                "sign-in failed",
                kind="User",
                name=name,
                status=200,
                reason="No active user of this name and password.",
            )

    # --- what runs now ----------------------------------------------------------------------------
    def _live(self) -> None:
        """A few real runs, which the workers find when they start."""
        for name, endpoint, values in (
            ("minji.kim", "churn-train", {"epochs": "100"}),
            ("jiho.park", "수요-예측", {"지역": "제주"}),
        ):
            target = PipelineEndpoint.objects.get(pk=self.endpoints[endpoint].pk)
            settings = RunSettings(experiment=EXPERIMENTS[endpoint], assignments=values)
            submit(
                self.team[name], Submission(EndpointTarget(target), settings, source=Source.STUDIO)
            )
