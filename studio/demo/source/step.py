"""One stage of a pipeline: says what it does, takes a moment, and keeps a small result."""

import argparse
import json
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="step")
parser.add_argument("--input")
parser.add_argument("--output")
parser.add_argument("--seconds", type=float, default=0.3)
arguments, others = parser.parse_known_args()

print(f"{arguments.name}: started with {others or 'no values of its own'}", flush=True)
if arguments.input:
    files = [path for path in Path(arguments.input).rglob("*") if path.is_file()]
    print(f"{arguments.name}: read {len(files)} files", flush=True)
time.sleep(arguments.seconds)
if arguments.output:
    target = Path(arguments.output)
    target.mkdir(parents=True, exist_ok=True)
    (target / "part-00000.json").write_text(json.dumps({"step": arguments.name}))
print(f"{arguments.name}: done")
