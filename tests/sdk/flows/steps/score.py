"""Prints the model another step wrote."""

import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
args = parser.parse_args()
print("the model says", (pathlib.Path(args.model) / "model.txt").read_text())
