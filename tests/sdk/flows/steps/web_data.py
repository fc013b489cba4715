"""Tells, as JSON, what it was given from the web."""

import json
import pathlib
import sys

from azureml.core import Run

tables = Run.get_context().input_datasets
files = [path for path in pathlib.Path(sys.argv[1]).rglob("*") if path.is_file()]
print(
    json.dumps(
        {
            "names": tables["people"].to_pandas_dataframe()["name"].tolist(),
            "numbers": tables["lines"].to_pandas_dataframe()["a"].tolist(),
            "cities": tables["packed"].to_pandas_dataframe()["city"].tolist(),
            "files": {path.name: path.read_text() for path in files},
        }
    )
)
