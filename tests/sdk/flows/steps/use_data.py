"""Tells, as JSON, what data it was given, and leaves some."""

import argparse
import json
import pathlib

from azureml.core import Run

parser = argparse.ArgumentParser()
READ = ("place", "plain", "mounted", "downloaded", "unnamed", "unregistered")
for name in (*READ, "middle", "written", "folder-out", "people"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()
inputs = Run.get_context().input_datasets


def files(folder):
    root = pathlib.Path(folder)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def write(folder, name, text):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    (pathlib.Path(folder) / name).write_text(text)


seen = {name: files(getattr(args, name)) for name in READ}
seen["direct"] = inputs["direct"].to_pandas_dataframe()["name"].tolist()
seen["people"] = inputs["people_input"].to_pandas_dataframe()["age"].tolist()
print(json.dumps(seen))
write(args.middle, "m.txt", "middle")
write(args.written, "w.csv", "name,age\nzed,9\n")
write(args.folder_out, "f.txt", "folder")
