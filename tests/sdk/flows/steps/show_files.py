"""Prints what is in the files it is given, or in those of a folder."""

import sys
from pathlib import Path

for given in map(Path, sys.argv[1:]):
    files = [given] if given.is_file() else sorted(given.rglob("*.txt"))
    print(",".join(path.read_text() for path in files))
