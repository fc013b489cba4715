"""Fits a line to noisy points by gradient descent and logs the loss of every tenth epoch."""

import argparse
import json
import random
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
output = Path(parser.parse_args().output)

run = Run.get_context()
random.seed(7)
points = [(x / 20, 3 * x / 20 + 1 + random.gauss(0, 0.6)) for x in range(100)]

slope = offset = 0.0
for epoch in range(1, 201):
    errors = [(x, slope * x + offset - y) for x, y in points]
    slope -= 0.04 * sum(error * x for x, error in errors) / len(points)
    offset -= 0.04 * sum(error for _, error in errors) / len(points)
    if epoch % 10 == 0:
        loss = sum(error * error for _, error in errors) / len(points)
        run.log("loss", loss)
        print(f"epoch {epoch:3}: loss {loss:.4f}", flush=True)

output.mkdir(parents=True, exist_ok=True)
model = {"slope": slope, "offset": offset, "points": points}
(output / "model.json").write_text(json.dumps(model))
print(f"trained y = {slope:.3f} x + {offset:.3f}")
