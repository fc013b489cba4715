"""Extracts how far the trained line misses each point."""

import argparse
import json
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

model = json.loads((Path(arguments.input) / "model.json").read_text())
misses = [abs(model["slope"] * x + model["offset"] - y) for x, y in model["points"]]

run = Run.get_context()
run.log("points", len(misses))
run.log("largest_miss", max(misses))
output = Path(arguments.output)
output.mkdir(parents=True, exist_ok=True)
(output / "misses.json").write_text(json.dumps(misses))
print(f"extracted {len(misses)} misses, the largest {max(misses):.3f}")
