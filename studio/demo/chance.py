"""What the callers of each endpoint ask for, and how their runs end: chosen by chance, the same every time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from runs import naming
from runs.states import Status
from studio.demo.history import Past
from studio.demo.playing import Ending
from studio.demo.telling import evaluation, failed, log_of, training

SEED = 20261114
EXPERIMENTS = {
    "churn-train": "churn",
    "수요-예측": "demand-forecast",
    "nightly-scoring": "nightly",
    "카탈로그-재구축": "카탈로그",
    "invoice-ocr": "invoices",
    "image-embeddings": "embeddings",
    "품질-검사": "quality",
    "legacy-report": "legacy",
}
SLOW = {"train": 9, "학습": 7, "embed": 12, "recognise": 4, "split": 2, "merge": 5}
# Per endpoint: the step, its error, how often, and with how many attempts it succeeds after all (1: it fails).
MISHAPS: dict[str, tuple[tuple[str, str, float, int], ...]] = {
    "수요-예측": (
        ("평가", "AssertionError: 예측 구간이 비어 있습니다: 지역=제주, 기간=14일", 0.08, 1),
        ("날씨 수집", "TimeoutError: weather service did not answer within 30 s", 0.05, 1),
    ),
    "nightly-scoring": (
        ("shard-17", "MemoryError: Unable to allocate 3.20 GiB for an array with shape (40960, 10485)", 0.3, 1),
        ("shard-33", "MemoryError: Unable to allocate 3.20 GiB for an array with shape (40960, 10485)", 0.1, 1),
    ),
    "카탈로그-재구축": (("17 언어 판별", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xbf in position 0", 0.3, 1),),
    "invoice-ocr": (
        ("fetch", "FileNotFoundError: [Errno 2] No such file or directory: 'invoices/2026/scan-0118.tif'", 0.03, 1),
        ("recognise", "RuntimeError: CUDA out of memory. Tried to allocate 1.20 GiB", 0.08, 2),
        ("check sums", "ValueError: 송장 INV-20261120-0071: 합계 1,204,000원이 명세 1,240,000원과 다릅니다", 0.06, 1),
    ),
    "image-embeddings": (
        ("embed", "RuntimeError: CUDA out of memory. Tried to allocate 2.50 GiB", 0.3, 3),
        ("download", "ConnectionError: images.example.com refused the connection", 0.12, 1),
    ),
    "품질-검사": (
        ("분포 변화", "AssertionError: '나이'의 분포가 지난주와 다릅니다 (PSI 0.31 > 0.25)", 0.15, 1),
        ("중복", "AssertionError: 1,204 duplicate customer ids", 0.06, 1),
    ),
}  # fmt: skip


@dataclass
class Chance:
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - not for secrets
    last: dict[tuple[str, int], Past] = field(default_factory=dict)  # run of each version

    def name(self) -> str:
        ending = "".join(self.random.choice(naming.SUFFIX) for _ in range(8))
        chosen = self.random.choice
        return f"{chosen(naming.ADJECTIVES)}_{chosen(naming.NOUNS)}_{ending}"

    def values(self, endpoint: str) -> dict[str, Any] | None:
        chosen = self.random.choice
        values: dict[str, Callable[[], dict[str, Any]]] = {
            "churn-train": lambda: {"learning_rate": chosen(("0.01", "0.02", "0.05", "0.5"))},
            "수요-예측": lambda: {
                "지역": chosen(("서울", "부산", "제주")),
                "기간_일": chosen(("7", "14")),
            },
            "invoice-ocr": lambda: {
                "folder": f"invoices/2026/{self.random.randrange(100, 400)}",
                "language": chosen(("ko", "ko", "en")),
            },
            "image-embeddings": lambda: {"category": chosen(("신발", "가방", "outdoor"))},
        }
        return values[endpoint]() if endpoint in values and self.random.random() < 0.8 else None

    def tags(self, endpoint: str) -> dict[str, str] | None:
        chosen: dict[str, dict[str, str]] = {
            "churn-train": {"team": "growth"},
            "invoice-ocr": {"team": "회계", "source": "erp"},
            "품질-검사": {"stage": "ci"},
        }
        return chosen.get(endpoint)

    def endings(
        self,
        endpoint: str,
        number: int,
        steps: list[str],
        values: Mapping[str, Any],
        *,
        age: float,
    ) -> dict[str, Ending]:
        """How each of the `steps` of version `number` goes; `age` is 0 when the story begins, and 1 now."""
        random = self.random
        found = {}
        for step in steps:
            seconds = random.lognormvariate(1.4, 0.5) * SLOW.get(step, 1)
            log = log_of(random, step, lines=random.randrange(4, 40), seconds=seconds)
            found[step] = Ending(seconds=seconds, log=log)
        if endpoint == "churn-train":
            self._trained(found, number, values, age)
        for step, error, share, tries in MISHAPS.get(endpoint, ()):
            if step in found and random.random() < share:
                if tries > 1:
                    found[step] = replace(found[step], errors=(error,) * (tries - 1))
                else:
                    found[step] = failed(random, step, error)
        return found

    def _trained(
        self, found: dict[str, Ending], number: int, values: Mapping[str, Any], age: float
    ) -> None:
        random = self.random
        auc = 0.79 + 0.07 * age + random.gauss(0, 0.006)
        curves = training(random, epochs=30 if number == 2 else 20, best=auc)
        found["train"] = replace(found["train"], metrics=curves)
        metrics, files = evaluation(random, auc=auc)
        found["evaluate"] = replace(found["evaluate"], metrics=metrics, files=files)
        if values.get("learning_rate") == "0.5":
            error = "ValueError: loss is nan at epoch 3: lower the learning rate"
            ending = failed(random, "train", error, seconds=9, script="train.py")
            cut = tuple(replace(each, points=each.points[:3]) for each in curves)
            found["train"] = replace(ending, metrics=cut)
        last = self.last.get(("churn-train", number))
        if last is not None and random.random() < 0.4:
            for step in last.steps[:2]:
                if step.run.status == Status.COMPLETED:
                    source = step.reused_from or step
                    found[step.run.name] = replace(found[step.run.name], reused=source)
        if number == 1:
            found["features"] = failed(random, "features", "KeyError: 'customer_id'")
