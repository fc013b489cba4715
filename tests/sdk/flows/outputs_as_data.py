"""What a step leaves, read by the next one in every way: as folders and as tables."""

import json
from pathlib import Path

from azureml.core import Dataset, Experiment, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
TABLE = {"city": ["rome", "oslo"], "n": [1, 2]}
ws = Workspace.from_config()
store = ws.get_default_datastore()
Path("cities").mkdir(exist_ok=True)
Path("cities/cities.csv").write_text("city,n\nrome,1\noslo,2\n")
Dataset.File.upload_directory("cities", (store, "outputs-as-data"), overwrite=True)

# References
whole = DataReference(store, "whole", path_on_datastore="outputs-as-data")
one = whole.path("cities.csv", data_reference_name="one")
assert one.path_on_datastore == "outputs-as-data/cities.csv"
downloaded = whole.as_download(path_on_compute="here", overwrite=True)
assert (downloaded.mode, downloaded.path_on_compute) == ("download", "here")
assert whole.as_upload(path_on_compute="here").mode == "upload"
assert whole.as_mount().mode == "mount"
config = whole.to_config()
assert (config.data_store_name, config.path_on_data_store) == (store.name, "outputs-as-data")
bound = DataPathComputeBinding(mode="download")
made = DataReference.create("made", DataPath(store, "outputs-as-data"), bound)
assert (made.data_reference_name, made.mode) == ("made", "download")
assert [store.as_download().mode, store.as_mount().mode] == ["download", "mount"]
assert store.as_upload().mode == "upload"

# Outputs
middle = PipelineData("middle", datastore=store)
assert (middle.name, middle.datastore.name) == ("middle", store.name)
assert middle.data_type is None
assert middle.get_env_variable_name() == "$AZUREML_DATAREFERENCE_middle"
mounted = middle.as_mount("mounted")
fetched = middle.as_download("fetched")
plain = middle.as_input("plain")
bound = middle.create_input_binding("bound", mode="mount")
assert [port.bind_mode for port in (mounted, fetched, bound)] == ["mount", "download", "mount"]
left = PipelineData("table", datastore=store)
table = left.as_dataset()
uploaded = OutputFileDatasetConfig("uploaded", destination=(store, "oad/{run-id}")).as_upload()
parquet = OutputFileDatasetConfig("parquet").read_parquet_files()
with_pandas = RunConfiguration()
with_pandas.environment.python.conda_dependencies = CondaDependencies.create(
    pip_packages=["azureml-defaults", "pandas", "pyarrow"]
)
common = {
    "compute_target": "cpu-cluster",
    "runconfig": with_pandas,
    "source_directory": STEPS,
    "allow_reuse": False,
}
leave = PythonScriptStep(
    name="leave",
    script_name="leave_tables.py",
    arguments=[
        *("--middle", middle, "--table", table),
        *("--uploaded", uploaded, "--parquet", parquet),
    ],
    outputs=[middle, table],
    **common,
)
kept = Dataset.Tabular.from_delimited_files((store, "outputs-as-data/cities.csv"))
kept = kept.register(ws, "outputs-as-data", create_new_version=True)
read = PythonScriptStep(
    name="read",
    script_name="read_tables.py",
    arguments=[
        *("--mounted", mounted, "--fetched", fetched, "--plain", plain),
        *("--reference", downloaded, "--files", uploaded.as_input("files").as_download()),
        *("--bound", bound),
    ],
    inputs=[
        *(mounted, fetched, plain, bound, downloaded),
        table.parse_parquet_files().as_named_input("parsed"),
        parquet.as_input("parquet"),
        kept.as_named_input("kept"),
    ],
    **common,
)
pipeline = Pipeline(ws, steps=[leave, read])


def check(run):
    assert run.wait_for_completion(show_output=False) == "Finished"
    text = run.find_step_run("read")[0].get_stdout_log()
    seen = json.loads(text[text.index("{") : text.rindex("}") + 1])
    for name in ("mounted", "fetched", "plain", "bound"):
        assert seen[name] == ["m.parquet"], seen
    assert (seen["reference"], seen["files"]) == (["cities.csv"], ["u.csv"]), seen
    assert seen["parsed"] == seen["parquet"] == seen["kept"] == TABLE, seen


check(Experiment(ws, "outputs-as-data").submit(pipeline))

# A name that is taken away leaves its data to the pipelines that read them.
published = pipeline.publish("outputs-as-data", "data", "1")
kept.unregister_all_versions()
assert "outputs-as-data" not in Dataset.get_all(ws)
check(published.submit(ws, "outputs-as-data"))
