"""Writes what it reads, in capitals."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--given")
parser.add_argument("--left")
args = parser.parse_args()

given = Path(args.given)
for path in [given] if given.is_file() else given.rglob("*.txt"):
    Path(args.left, path.name).write_text(path.read_text().upper())
