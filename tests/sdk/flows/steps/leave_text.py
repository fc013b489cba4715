"""Leaves a text in its output, and says what is in the folder it is given."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--out")
parser.add_argument("--seen")
options = parser.parse_args()
print("sees", sorted(path.name for path in Path(options.seen).iterdir()))
(Path(options.out) / "left.txt").write_text("left")
