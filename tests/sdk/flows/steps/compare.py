"""Compares two files by what they hold and leaves the answer."""

import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--comp_data1", required=True)
parser.add_argument("--comp_data2", required=True)
parser.add_argument("--output_data", required=True)
parser.add_argument("--param1", type=int, default=0)
args = parser.parse_args()

first, second = (pathlib.Path(path).read_text() for path in (args.comp_data1, args.comp_data2))
verdict = "alike" if first == second else "different"
folder = pathlib.Path(args.output_data)
folder.mkdir(parents=True, exist_ok=True)
(folder / "verdict.txt").write_text(verdict)
print(f"{verdict}, param1={args.param1}")
