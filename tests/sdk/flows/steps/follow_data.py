"""Tells, as JSON, what the step before left."""

import argparse
import json
import pathlib

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--middle")
parser.add_argument("--folder")
args = parser.parse_args()
tidied = Run.get_context().input_datasets["tidied"].to_pandas_dataframe()
seen = {
    name: [path.name for path in pathlib.Path(folder).iterdir()]
    for name, folder in (("middle", args.middle), ("folder", args.folder))
}
print(json.dumps({**seen, "tidied": tidied["name"].tolist()}))
