"""Counts survivors by sex and class in the datasets this run was given."""

import argparse
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--param1", help="id of the tabular dataset")
parser.add_argument("--param2", help="path of the file dataset")
arguments = parser.parse_args()

run = Run.get_context()
passengers = run.input_datasets["tabular_dataset"].to_pandas_dataframe()
print(f"tabular dataset {arguments.param1}: {len(passengers)} passengers")
rates = passengers.groupby(["Sex", "Pclass"])["Survived"].mean()
for (sex, passenger_class), rate in rates.items():
    print(f"  {sex:6} class {passenger_class}: {rate:.0%} survived")
    run.log_row("survival", sex=sex, passenger_class=int(passenger_class), rate=float(rate))
run.log("passengers", len(passengers))
run.log("survival_rate", float(passengers["Survived"].mean()))

file = Path(run.input_datasets["file_dataset"])
with file.open() as lines:
    rows = sum(1 for _ in lines) - 1
print(f"file dataset {file.name}: {rows} rows")
run.log("file_rows", rows)

Path("outputs").mkdir(exist_ok=True)
rates.to_csv("outputs/survival.csv")
