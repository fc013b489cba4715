"""The pipelines of the demo, as the folders that `publish` takes."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).resolve().parent / "source"
CPU, GPU = "cpu-cluster", "gpu-a100"
STAGES = (
    *("수집", "중복 제거", "언어 판별", "정규화", "표제어 추출", "동의어 병합", "분류", "요약"),
    *("가격 확인", "재고 대조", "이미지 연결", "검수", "색인", "게시 준비", "게시"),
)


@dataclass(frozen=True)
class Step:
    name: str
    after: tuple[str, ...] = ()
    script: str = "step.py"
    target: str = ""
    retries: int = 0
    reusable: bool = False
    keeps: bool = False  # an output that the steps after it read
    values: tuple[str, ...] = ()  # the pipeline's parameters that it is given


@dataclass(frozen=True)
class Pipeline:
    name: str
    description: str
    steps: tuple[Step, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    goes_on: bool = False

    def write(self, folder: Path) -> Path:
        """The folder with the pipeline file and its scripts."""
        shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        keys = {step.name: f"s{number:02}" for number, step in enumerate(self.steps, start=1)}
        kept = {step.name for step in self.steps if step.keeps}
        text = {
            "name": self.name,
            "description": self.description,
            "default_compute": CPU,
            "continue_on_step_failure": self.goes_on,
            "parameters": {name: dict(each) for name, each in self.parameters.items()},
            "steps": {keys[step.name]: _step(step, keys, kept) for step in self.steps},
        }
        (folder / "pipeline.yml").write_text(
            yaml.safe_dump({"pipeline": text}, allow_unicode=True, sort_keys=False)
        )
        return folder


def _step(step: Step, keys: Mapping[str, str], kept: set[str]) -> dict[str, Any]:
    read = [name for name in step.after if name in kept]
    waited = [keys[name] for name in step.after if name not in kept]
    arguments = ["--name", step.name]
    for name in step.values:
        arguments += [f"--{name}", f"parameter:{name}"]
    found: dict[str, Any] = {
        "type": "PythonScriptStep",
        "name": step.name,
        "script_name": step.script,
        "source_directory": "src",
        "allow_reuse": step.reusable,
    }
    if read:
        found["inputs"] = {f"from_{keys[name]}": {"source": f"data_{keys[name]}"} for name in read}
        arguments += ["--input", f"input:from_{keys[read[0]]}"]
    if step.keeps:
        own = keys[step.name]
        found["outputs"] = {"result": {"destination": f"data_{own}"}}
        arguments += ["--output", "output:result"]
    if waited:
        found["run_after"] = waited
    if step.retries:
        found |= {"retries": step.retries, "retry_delay_seconds": 2}
    if step.target:
        found["compute"] = step.target
    return found | {"arguments": arguments}


def _number(kind: str, default: float) -> dict[str, Any]:
    return {"type": kind, "default": default}


def _churn(*more: Step, learning_rate: float, epochs: int) -> Pipeline:
    return Pipeline(
        "churn-train",
        "Trains the churn model on the newest customers and compares it with the one in use.",
        (
            Step("prepare", reusable=True, keeps=True),
            Step("features", ("prepare",), reusable=True, keeps=True),
            Step(
                "train",
                ("features",),
                script="train.py",
                keeps=True,
                values=("learning_rate", "epochs"),
            ),
            Step("evaluate", ("train", "features"), keeps=True, values=("threshold",)),
            *more,
        ),
        {
            "learning_rate": _number("float", learning_rate),
            "epochs": _number("int", epochs),
            "threshold": _number("float", 0.5),
        },
    )


CHURN = (
    _churn(learning_rate=0.05, epochs=20),
    _churn(Step("explain", ("evaluate",)), learning_rate=0.1, epochs=20),
    _churn(
        Step("explain", ("evaluate",)),
        Step("register", ("evaluate",)),
        learning_rate=0.02,
        epochs=30,
    ),
)
DEMAND = Pipeline(
    "수요 예측",
    "지역별 판매 실적으로 다음 주 수요를 예측합니다.",
    (
        Step("판매 실적 수집", keeps=True, values=("지역",)),
        Step("날씨 수집", keeps=True),
        Step("정제", ("판매 실적 수집", "날씨 수집"), keeps=True),
        Step("학습", ("정제",), script="train.py", keeps=True),
        Step("평가", ("학습", "정제"), values=("기간_일",)),
    ),
    {"지역": {"type": "string", "default": "서울"}, "기간_일": _number("int", 7)},
)
SHARDS = tuple(f"shard-{number:02}" for number in range(1, 49))
SCORING = Pipeline(
    "nightly-scoring",
    "Scores every customer, in 48 parts side by side.",
    (
        Step("split", values=("batch_size",)),
        *(Step(name, ("split",)) for name in SHARDS),
        Step("merge", SHARDS, keeps=True),
        Step("publish", ("merge",)),
    ),
    {"batch_size": _number("int", 5000)},
    goes_on=True,
)
CHAIN = tuple(f"{number:02} {STAGES[number % 15]}" for number in range(30))
CATALOGUE = Pipeline(
    "카탈로그 재구축",
    "Rebuilds the product catalogue in thirty stages, one after the other. 단계는 순서대로 실행됩니다.",
    tuple(
        Step(name, CHAIN[number - 1 : number] if number else ())
        for number, name in enumerate(CHAIN)
    ),
)
INVOICES = Pipeline(
    "invoice-ocr",
    "Reads scanned invoices, checks the sums and hands them to accounting.",
    (
        Step("fetch", keeps=True, values=("folder", "language")),
        Step("recognise", ("fetch",), target=GPU, retries=1, keeps=True),
        Step("check sums", ("recognise",)),
        Step("store", ("check sums", "recognise")),
    ),
    {
        "folder": {"type": "string", "default": "invoices/incoming"},
        "language": {"type": "string", "default": "ko", "choices": ["ko", "en", "ja"]},
    },
)
EMBEDDINGS = Pipeline(
    "image-embeddings",
    "Embeds new product images and adds them to the search index.",
    (
        Step("download", keeps=True, values=("category",)),
        Step("embed", ("download",), target=GPU, retries=2, keeps=True),
        Step("index", ("embed",)),
    ),
    {"category": {"type": "string", "default": "신발"}},
)
QUALITY = Pipeline(
    "품질-검사",
    "들어온 데이터의 품질을 네 갈래로 검사합니다.",
    (
        Step("불러오기", keeps=True),
        Step("결측값", ("불러오기",)),
        Step("이상값", ("불러오기",)),
        Step("중복", ("불러오기",)),
        Step("분포 변화", ("불러오기",)),
        Step("보고서", ("결측값", "이상값", "중복", "분포 변화"), keeps=True),
    ),
    {"표본": _number("int", 10000)},
    goes_on=True,
)
LEGACY = Pipeline(
    "legacy-report",
    "The monthly report of the old warehouse; replaced by 품질-검사.",
    (Step("export"), Step("mail", ("export",))),
)
