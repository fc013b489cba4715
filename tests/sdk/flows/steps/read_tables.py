"""Tells, as JSON, the tables and files it was given."""

import argparse
import json
import pathlib

from azureml.core import Run

parser = argparse.ArgumentParser()
for name in ("mounted", "fetched", "plain", "bound", "reference", "files"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()
inputs = Run.get_context().input_datasets
folders = {
    name: sorted(path.name for path in pathlib.Path(folder).rglob("*") if path.is_file())
    for name, folder in vars(args).items()
}
tables = {
    name: inputs[name].to_pandas_dataframe().to_dict("list")
    for name in ("parsed", "parquet", "kept")
}
print(json.dumps({**folders, **tables}))
