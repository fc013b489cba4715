"""Reads the dataset under the name its consumer was given, whichever one the run was handed."""

import argparse

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--param1")
args = parser.parse_args()
dataset = Run.get_context().input_datasets["tabular_dataset"]
print("passengers", dataset.to_pandas_dataframe()["name"].tolist(), "argument", args.param1)
