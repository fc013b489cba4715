"""What the scripts of the demo would have told: logs, metrics and a picture."""

import math
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from studio.demo.history import IMAGE
from studio.demo.playing import Ending, Logged

WIDTH, HEIGHT, EDGE = 480, 320, 24
FRAMES = """\
Traceback (most recent call last):
  File "{script}", line 14, in <module>
    result = stage(rows, **options)
  File "/opt/envs/demo/lib/python3.11/site-packages/stages/running.py", line 188, in stage
    return self._each(rows)
  File "/opt/envs/demo/lib/python3.11/site-packages/stages/running.py", line 231, in _each
    raise failure from None
"""


def log_of(
    random: Random,
    name: str,
    *,
    lines: int,
    seconds: float,
    error: str = "",
    script: str = "step.py",
) -> Callable[[datetime, datetime], str]:
    """The log of a step that printed about so many lines, and perhaps ended with a traceback."""
    every = timedelta(seconds=seconds / (lines + 2))
    rows = random.randrange(20_000, 90_000)
    said = [f"INFO {name}: started, {rows:,} rows to read"]
    for number in range(1, lines + 1):
        done = rows * number // lines
        kind = "WARNING" if random.random() < 0.04 else "INFO"
        more = "retrying a slow read" if kind == "WARNING" else f"{random.uniform(1, 9):.2f} s"
        said.append(f"{kind} {name}: batch {number}/{lines}, {done:,} rows, {more}")
    said.append(f"ERROR {name}: {error}" if error else f"INFO {name}: done, {rows:,} rows kept")
    behind = f"{FRAMES.format(script=script)}{error}\n" if error else ""

    def text(begun: datetime, end: datetime) -> str:
        """What it had printed by its end, which may have come too early."""
        times = [begun + every * number for number in range(len(said))]
        lines = [
            f"{at:%Y-%m-%d %H:%M:%S} {line}\n"
            for at, line in zip(times, said, strict=True)
            if at <= end
        ]
        return "".join(lines) + (behind if len(lines) == len(said) else "")

    return text


def training(random: Random, *, epochs: int, best: float) -> tuple[Logged, ...]:
    """The curves of a training, with a table of its last values."""
    loss, auc = [], []
    for epoch in range(epochs):
        left = math.exp(-epoch / (epochs / 4))
        loss.append(round(0.28 + 0.42 * left + random.gauss(0, 0.008), 5))
        auc.append(round(best - 0.22 * left + random.gauss(0, 0.004), 5))
    return (
        Logged("loss", [{"loss": value} for value in loss], {"loss": "double"}),
        Logged("val_auc", [{"val_auc": value} for value in auc], {"val_auc": "double"}),
    )


def evaluation(random: Random, *, auc: float) -> tuple[tuple[Logged, ...], dict[str, bytes]]:
    """Scores, a table per group, and the ROC curve as a picture."""
    groups = [
        {
            "지역": place,
            "rows": random.randrange(900, 9000),
            "auc": round(auc + random.gauss(0, 0.02), 4),
        }
        for place in ("서울", "부산", "대구", "광주", "제주")
    ]
    logged = (
        Logged("auc", [{"auc": round(auc, 5)}], {"auc": "double"}),
        Logged("f1", [{"f1": round(auc - 0.11 + random.gauss(0, 0.01), 5)}], {"f1": "double"}),
        Logged(
            "지역별",
            groups,
            {"지역": "string", "rows": "int", "auc": "double"},
            "azureml.v1.table",
        ),
        Logged("roc", [{"roc": "outputs/roc.png"}], {"roc": "Artifact"}, IMAGE),
    )
    files = {
        "outputs/roc.png": roc_picture(auc),
        "outputs/model.json": b'{"kind": "gradient boosting", "trees": 240}\n',
    }
    return logged, files


def failed(
    random: Random, name: str, error: str, *, seconds: float = 4.0, script: str = "step.py"
) -> Ending:
    lines = random.randrange(12, 60)
    log = log_of(random, name, lines=lines, seconds=seconds, error=error, script=script)
    return Ending(seconds=seconds, errors=(error,), succeeds=False, log=log)


def roc_picture(auc: float) -> bytes:
    """A PNG with the curve, drawn without a library."""
    canvas = [bytearray(b"\xff" * WIDTH * 3) for _ in range(HEIGHT)]

    def dot(x: int, y: int, colour: Sequence[int]) -> None:
        for row in range(max(0, y - 1), min(HEIGHT, y + 2)):
            for column in range(max(0, x - 1), min(WIDTH, x + 2)):
                canvas[row][column * 3 : column * 3 + 3] = bytes(colour)

    across, up = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    power = (1 - auc) / auc  # the area below x**power is 1 / (1 + power)
    for number in range(across * 2 + 1):
        share = number / (across * 2)
        x = EDGE + round(share * across)
        dot(x, HEIGHT - EDGE, (148, 163, 184))
        dot(EDGE, HEIGHT - EDGE - round(share * up), (148, 163, 184))
        if number % 12 < 6:
            dot(x, HEIGHT - EDGE - round(share * up), (203, 213, 225))
        dot(x, HEIGHT - EDGE - round(share**power * up), (67, 56, 202))
    return _png(b"".join(b"\0" + bytes(row) for row in canvas))


def _png(pixels: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    size = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(pixels, 6))
        + chunk(b"IEND", b"")
    )
