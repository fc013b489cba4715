"""Prints a text and the files at a data path."""

import argparse
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--arg1")
parser.add_argument("--arg2")
arguments = parser.parse_args()

print(f"arg1: {arguments.arg1}")
print(f"arg2: {arguments.arg2}")
place = Path(arguments.arg2)
files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
for file in files:
    print(f"{file.name}: {file.read_text().strip()}")
Run.get_context().log("files", len(files))
