"""Adds up one part. The fifth cannot be read, unless `--fix True`."""

import argparse
import json
import sys
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--number", type=int, required=True)
parser.add_argument("--fix", default="False")
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

if arguments.number == 5 and arguments.fix.lower() != "true":
    sys.exit("part 5 is broken: run again with fix = true")
numbers = json.loads((Path(arguments.input) / f"{arguments.number}.json").read_text())
Run.get_context().log("sum", sum(numbers))
output = Path(arguments.output)
output.mkdir(parents=True, exist_ok=True)
(output / "sum.json").write_text(json.dumps(sum(numbers)))
print(f"part {arguments.number}: {sum(numbers)}")
