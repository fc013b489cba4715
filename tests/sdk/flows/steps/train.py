"""Writes a model, metrics and a file, and prints while it works."""

import argparse
import pathlib
import time

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--out", required=True)
parser.add_argument("--until", help="a tag of the pipeline's run to wait for")
args = parser.parse_args()

run = Run.get_context()
print("first line", flush=True)
deadline = time.monotonic() + 120
while args.until and args.until not in run.parent.get_tags() and time.monotonic() < deadline:
    time.sleep(0.5)
run.log("accuracy", 0.5)
run.log_list("losses", [3, 2, 1])
run.parent.tag("best", "0.5")
run.tag("stage", "training")
folder = pathlib.Path(args.out)
folder.mkdir(parents=True, exist_ok=True)
(folder / "model.txt").write_text(f"lr={args.lr}")
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/report.txt").write_text("report")
run.upload_file("notes/hello.txt", "outputs/report.txt")
print("last line", flush=True)
