"""Say that the step began, then wait until the test lets it go on."""

import argparse
import os
import pathlib
import time

parser = argparse.ArgumentParser()
parser.add_argument("--folder")
parser.add_argument("--name")
options = parser.parse_args()
folder = pathlib.Path(options.folder)
with (folder / f"{options.name}.began").open("a") as began:
    began.write(f"{os.getpid()}\n")
while not (folder / f"{options.name}.go").exists():
    time.sleep(0.02)
with (folder / f"{options.name}.ended").open("a") as ended:
    ended.write(f"{os.getpid()}\n")
