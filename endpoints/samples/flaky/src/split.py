"""Deals the numbers 1 to 80 out to eight parts."""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
output = Path(parser.parse_args().output)

output.mkdir(parents=True, exist_ok=True)
for number in range(1, 9):
    (output / f"{number}.json").write_text(json.dumps(list(range(number, 81, 8))))
print("dealt 80 numbers to 8 parts")
