"""Files up and down, datasets of both kinds, every way to hand data to a step and out of it."""

import json
from pathlib import Path

import requests
from azureml.core import Dataset, Datastore, Experiment, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.data import DataType, OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
store = ws.get_default_datastore()
assert store.name == "workspaceblobstore"
assert Datastore.get(ws, "workspaceblobstore").name == store.name
assert "workspaceblobstore" in ws.datastores

# Files up and down
Path("local/sub").mkdir(parents=True)
Path("local/people.csv").write_text("name,age\nann,31\nbob,27\n")
Path("local/sub/more.csv").write_text("name,age\neve,40\n")
Path("lines.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
store.upload("local", target_path="sdk/first", overwrite=True, show_progress=False)
store.upload_files(["lines.jsonl"], target_path="sdk/lines", overwrite=True, show_progress=False)
assert store.download("back", prefix="sdk/first", show_progress=False) == 2
assert Path("back/sdk/first/sub/more.csv").read_text() == "name,age\neve,40\n"

# Datasets
people = Dataset.Tabular.from_delimited_files((store, "sdk/first/*.csv"))
frame = people.to_pandas_dataframe()
assert frame["name"].tolist() == ["ann", "bob"], frame
assert frame["age"].tolist() == [31, 27]
typed = Dataset.Tabular.from_delimited_files(
    (store, "sdk/first/people.csv"), set_column_types={"age": DataType.to_string()}
)
assert typed.to_pandas_dataframe()["age"].tolist() == ["31", "27"]
assert people.take(1).to_pandas_dataframe()["name"].tolist() == ["ann"]
lines = Dataset.Tabular.from_json_lines_files((store, "sdk/lines/lines.jsonl"))
assert lines.to_pandas_dataframe()["a"].tolist() == [1, 2]
frame.to_parquet("people.parquet")
store.upload_files(
    ["people.parquet"], target_path="sdk/parquet", overwrite=True, show_progress=False
)
parquet = Dataset.Tabular.from_parquet_files((store, "sdk/parquet/people.parquet"))
assert parquet.to_pandas_dataframe()["name"].tolist() == ["ann", "bob"]
files = Dataset.File.from_files((store, "sdk/first/**"))
assert sorted(files.to_path()) == ["/people.csv", "/sub/more.csv"], files.to_path()
assert len(files.download("files-here", overwrite=True)) == 2
directory = Dataset.File.upload_directory("local", (store, "sdk/uploaded"), overwrite=True)
assert len(directory.to_path()) == 2

# Names and versions
registered = people.register(ws, "sdk-people", description="two people", tags={"kind": "csv"})
assert (registered.name, registered.version) == ("sdk-people", 1)
assert registered.tags == {"kind": "csv"}
try:
    lines.register(ws, "sdk-people")
except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
    assert "sdk-people" in str(error), error
else:
    raise AssertionError("a second dataset took the name")
others = Dataset.Tabular.from_delimited_files((store, "sdk/first/sub/more.csv"))
second = others.register(ws, "sdk-people", create_new_version=True)
assert second.version == 2
assert Dataset.get_by_name(ws, "sdk-people").version == 2
first = Dataset.get_by_name(ws, "sdk-people", version=1)
assert first.to_pandas_dataframe()["age"].tolist() == [31, 27]
assert Dataset.get_by_id(ws, first.id).id == first.id
assert "sdk-people" in Dataset.get_all(ws)
assert "sdk-people" in ws.datasets
folder = files.register(ws, "sdk-folder")
assert (folder.version, folder.tags) == (1, {})

# Into a step and out of it
swapped = PipelineParameter("people", default_value=first)
chosen = PipelineParameter("place", default_value=DataPath(store, "sdk/first"))
place = (chosen, DataPathComputeBinding(mode="mount"))
reference = DataReference(
    datastore=store, data_reference_name="plain", path_on_datastore="sdk/first"
)
written = OutputFileDatasetConfig("written", destination=(store, "sdk/out/{run-id}/written"))
tidied = written.read_delimited_files().register_on_complete("sdk-tidied", "tidied", {"by": "use"})
folder_out = OutputFileDatasetConfig("folder_out").as_mount()
folder_out = folder_out.register_on_complete("sdk-folder-out")
middle = PipelineData("middle", datastore=store)
with_pandas = RunConfiguration()
with_pandas.environment.python.conda_dependencies = CondaDependencies.create(
    pip_packages=["azureml-defaults", "pandas"]
)
use = PythonScriptStep(
    name="use",
    script_name="use_data.py",
    arguments=[
        *("--place", place, "--plain", reference, "--middle", middle),
        *("--written", tidied, "--folder-out", folder_out),
        *("--mounted", folder.as_named_input("mounted").as_mount()),
        *("--downloaded", folder.as_named_input("downloaded").as_download()),
        *("--unnamed", folder.as_mount(), "--unregistered", directory.as_download()),
        *("--people", DatasetConsumptionConfig("people_input", swapped)),
    ],
    inputs=[place, reference, first.as_named_input("direct")],
    outputs=[middle],
    compute_target="cpu-cluster",
    runconfig=with_pandas,
    source_directory=STEPS,
    allow_reuse=False,
)
follow = PythonScriptStep(
    name="follow",
    script_name="follow_data.py",
    arguments=["--middle", middle, "--folder", folder_out.as_input("folder")],
    inputs=[middle, tidied.as_input("tidied")],
    compute_target="cpu-cluster",
    runconfig=with_pandas,
    source_directory=STEPS,
    allow_reuse=False,
)
pipeline = Pipeline(ws, steps=[use, follow])


def said(run, step="use"):
    assert run.wait_for_completion(show_output=False) == "Finished"
    text = run.find_step_run(step)[0].get_stdout_log()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


run = Experiment(ws, "data").submit(pipeline)
seen = said(run)
assert seen["place"] == ["people.csv", "sub/more.csv"], seen
for name in ("plain", "mounted", "downloaded", "unnamed", "unregistered"):
    assert seen[name] == seen["place"], seen
assert seen["direct"] == ["ann", "bob"], seen
assert seen["people"] == [31, 27], seen
followed = said(run, "follow")
assert followed == {"middle": ["m.txt"], "folder": ["f.txt"], "tidied": ["zed"]}, followed
left = Dataset.get_by_name(ws, "sdk-tidied")
assert left.to_pandas_dataframe()["name"].tolist() == ["zed"]
assert (left.description, left.tags) == ("tidied", {"by": "use"})
assert len(Dataset.get_by_name(ws, "sdk-folder-out").to_path()) == 1
details = run.find_step_run("use")[0].get_details()
read = {item["consumptionDetails"]["inputName"]: item for item in details["inputDatasets"]}
assert read["direct"]["dataset"].id == first.id
modes = {name: read[name]["consumptionDetails"]["mechanism"] for name in ("direct", "mounted")}
assert modes == {"direct": "Direct", "mounted": "Mount"}, modes
made = {item["outputDetails"]["outputName"]: item for item in details["outputDatasets"]}
assert made["written"]["dataset"].id == left.id

# Other data, by the SDK and by REST
store.upload_files(["lines.jsonl"], target_path="sdk/second", overwrite=True, show_progress=False)
values = {"place": DataPath(store, "sdk/second"), "people": second}
seen = said(Experiment(ws, "data").submit(pipeline, pipeline_parameters=values))
assert (seen["place"], seen["people"]) == (["lines.jsonl"], [40]), seen
published = pipeline.publish("data-pipeline", "data", "1")
seen = said(published.submit(ws, "data", pipeline_parameters=values))
assert (seen["place"], seen["people"]) == (["lines.jsonl"], [40]), seen
reply = requests.post(
    published.endpoint,
    headers=ws._auth_object.get_authentication_header(),
    json={
        "ExperimentName": "data",
        "DataPathAssignments": {
            "place": {"DataStoreName": "workspaceblobstore", "RelativePath": "sdk/second"}
        },
        "DataSetDefinitionValueAssignments": {
            "people": {"SavedDataSetReference": {"Id": second.id}}
        },
    },
    timeout=30,
)
assert reply.status_code == 200, reply.text
seen = said(ws.get_run(reply.json()["Id"]))
assert (seen["place"], seen["people"]) == (["lines.jsonl"], [40]), seen
