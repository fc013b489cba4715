"""A script on its own: says what it was given, logs, leaves a file, asks who it is."""

import argparse
import os
import time
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--text")
parser.add_argument("--seconds", type=float, default=0)
given = parser.parse_args()

run = Run.get_context()
print(f"lr={given.lr} text={given.text!r} colour={os.environ.get('COLOUR')}", flush=True)
print(f"I am {run.id}", flush=True)
assert run.parent is None
run.log("accuracy", 0.5)
run.log_list("losses", [3, 2, 1])
run.tag("stage", "training")
Path("outputs").mkdir(exist_ok=True)
Path("outputs/report.txt").write_text("report")
time.sleep(given.seconds)
print("the end")
