"""Wait until the test lets it go on, then leave many files in two outputs, each named by the number of
the attempt."""

import pathlib
import sys
import time

from azureml.core import Run

folder, files, *outputs = sys.argv[1:]
began = pathlib.Path(folder, "leave.began")
with began.open("a") as file:
    file.write("x")
attempt = len(began.read_text())
while not pathlib.Path(folder, "leave.go").exists():
    time.sleep(0.02)
for output in map(pathlib.Path, outputs):
    output.mkdir(exist_ok=True)
    for number in range(int(files)):
        (output / f"{attempt}-{number}.txt").write_text(f"{attempt}\n")
run = Run.get_context()
run.log("left", attempt)
run.parent.log("left", attempt)
