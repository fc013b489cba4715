"""Adds a number to the one in a file, and leaves and prints the sum."""

import argparse
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--number")
parser.add_argument("--more", type=float)
parser.add_argument("--sum")
args = parser.parse_args()
more = os.environ.get("AML_PARAMETER_more", "0")  # noqa: SIM112 - parameters keep their case
total = float(more) if args.more is None else args.more
if args.number:
    total += float(pathlib.Path(args.number).read_text())
if args.sum:
    pathlib.Path(args.sum).write_text(str(total))
print("sum", total)
