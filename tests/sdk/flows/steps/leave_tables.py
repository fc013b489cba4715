"""Leaves one table in four places, as CSV and as parquet."""

import argparse
import pathlib

import pandas

parser = argparse.ArgumentParser()
for name in ("middle", "table", "uploaded", "parquet"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()
for folder in (args.middle, args.table, args.uploaded, args.parquet):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
table = pandas.DataFrame({"city": ["rome", "oslo"], "n": [1, 2]})
table.to_parquet(pathlib.Path(args.middle, "m.parquet"))
table.to_parquet(pathlib.Path(args.table, "t.parquet"))
table.to_csv(pathlib.Path(args.uploaded, "u.csv"), index=False)
table.to_parquet(pathlib.Path(args.parquet, "p.parquet"))
