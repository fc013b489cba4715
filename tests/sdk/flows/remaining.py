"""What the other flows leave out: rarely used methods, one after another."""

from pathlib import Path

from azureml.core import Dataset, Datastore, Environment, Experiment, Run, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import (
    Pipeline,
    PipelineEndpoint,
    PipelineParameter,
    PipelineRun,
    PublishedPipeline,
    Schedule,
    ScheduleRecurrence,
    StepRun,
)
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
store = Datastore.get_default(ws)


def pipeline():
    text = PipelineParameter("text", default_value="remaining")
    step = PythonScriptStep(
        name="echo",
        script_name="echo.py",
        arguments=["--text", text],
        compute_target="cpu-cluster",
        source_directory=STEPS,
    )
    return Pipeline(ws, steps=[step])


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Workspace
ws.write_config(path=".", file_name="written.json")
assert Workspace.from_config("written.json").name == ws.name
assert ws.discovery_url.startswith("https://")
assert ws.location and ws.tags is not None and ws.service_context
assert isinstance(ws.models, dict)

# Pipeline
built = pipeline()
assert list(built.graph.node_name_dict) == ["echo"]
assert built.service_endpoint().startswith("https://")
run = built.submit("remaining")
assert run.wait_for_completion(show_output=False) == "Finished"
(step,) = run.get_steps()

# Experiment
experiment = Experiment(ws, "remaining")
assert "remaining" in [found.name for found in Experiment.list(ws)]
assert experiment.workspace.name == experiment.workspace_object.name == ws.name
assert experiment.get_portal_url().startswith("https://") and experiment.portal_url
assert experiment.get_docs_url().startswith("https://")
experiment.refresh()
assert experiment.id
assert experiment.archived_time is None

# Run
assert [found.id for found in Run.list(experiment, type="azureml.PipelineRun")] == [run.id]
assert run.number >= 1 and run.type == "azureml.PipelineRun"
assert run.experiment.name == "remaining" and run.portal_url
assert run.get_detailed_status() == {"status": "Finished", "details": None}
assert run.status and run.properties == run.get_properties() and run.tags == run.get_tags()
assert run.get_docs_url().startswith("https://")
assert [found.id for found in PipelineRun.list(experiment)] == [run.id]
assert step.pipeline_run_id == run.id
assert StepRun.get(ws, step.id).id == step.id
assert step.get_docs_url().startswith("https://")
Path("tree").mkdir()
Path("tree/a.txt").write_text("a")
own = experiment.start_logging(snapshot_directory=None)
own.upload_folder("tree", "tree")
own.upload_files(["b.txt"], ["tree/a.txt"])
assert {"tree/a.txt", "b.txt"} <= set(own.get_file_names())
own.log_confusion_matrix(
    "confusion",
    {
        "schema_type": "confusion_matrix",
        "schema_version": "v1",
        "data": {"class_labels": ["0", "1"], "matrix": [[3, 0], [1, 2]]},
    },
)
own.flush()
own.complete()
assert "confusion" in own.get_metrics()
queued = experiment.start_logging(snapshot_directory=None)
queued.cancel()
assert queued.get_status() == "Canceled"

# PublishedPipeline
published = pipeline().publish("remaining", "what is left", "1.0")
assert published.get_step_names() == ["echo"]
assert published.graph_id
assert published.id in published.get_portal_url() and published.portal_url
assert published.id in [found.id for found in PublishedPipeline.get_all(ws)]
assert "ModuleStep" in refused(lambda: published.save("remaining.yml"))
assert "ModuleStep" in refused(lambda: run.save("remaining.yml"))

# PipelineEndpoint
endpoint = PipelineEndpoint.publish(ws, "remaining", pipeline=published, description="left")
assert endpoint.get_default_version() == "0"
assert endpoint.swaggerurl is None or endpoint.swaggerurl.startswith("https://")
assert [found.version for found in endpoint.get_all_versions()] == ["0"]
assert [found.version for found in endpoint.pipeline_version_list] == ["0"]
assert [found.id for found in endpoint.get_all_pipelines()] == [published.id]
assert endpoint.id in [found.id for found in PipelineEndpoint.get_all(ws)]

# Schedule
Path("schedule.yml").write_text(
    """
Schedule:
    description: "from a file"
    recurrence:
        frequency: Week
        interval: 1
        start_time: 2040-06-07T10:50:00
        time_zone: UTC
        hours: [1]
        minutes: [0]
        time_of_day: null
        week_days: [Friday]
    pipeline_parameters: {'text': 'scheduled'}
    wait_for_provisioning: True
    wait_timeout: 3600
    datastore_name: ~
    polling_interval: ~
    data_path_parameter_name: ~
    continue_on_step_failure: None
    path_on_datastore: ~
"""
)
told = Schedule.load_yaml(ws, "schedule.yml")
schedule = Schedule.create(
    ws,
    name="from a file",
    pipeline_id=published.id,
    experiment_name="remaining",
    recurrence=told["recurrence"],
    description=told["description"],
)
assert schedule.pipeline_id == published.id and schedule.pipeline_endpoint_id is None
assert schedule.data_path_parameter_name is None
assert schedule.id in [found.id for found in Schedule.get_all(ws)]
schedule.disable()
ScheduleRecurrence("Day", 1).validate()

# Data
assert store.datastore_type == "AzureBlob" and store.is_sas and store.workspace.name == ws.name
store.upload("tree", target_path="remaining/tree", overwrite=True, show_progress=False)
place = DataPath(store, "remaining/tree")
assert (place.datastore_name, place.path_on_datastore) == (store.name, "remaining/tree")
reference = place.create_data_reference("again", DataPathComputeBinding(mode="mount"))
assert isinstance(reference, DataReference)
assert DataPath.create_from_data_reference(reference).path_on_datastore == "remaining/tree"
binding = DataPathComputeBinding(mode="download")
bound = binding.create_data_reference("bound", place)
assert bound.mode == "download"
same = DataPathComputeBinding.create_from_data_reference(bound)
assert same.create_data_reference("again", place).mode == "download"
assert store.path("remaining").as_download().path_on_datastore == "remaining"
Path("names.csv").write_text(
    "name,age,born\nann,31,1990-01-01\nbob,27,1995-01-01\neve,40,1985-01-01\n"
)
store.upload_files(["names.csv"], target_path="remaining", overwrite=True, show_progress=False)
names = Dataset.Tabular.from_delimited_files((store, "remaining/names.csv"))
assert names.keep_columns(["name"]).to_pandas_dataframe().columns.tolist() == ["name"]
assert names.drop_columns(["age"]).to_pandas_dataframe().columns.tolist() == ["name", "born"]
assert names.skip(2).to_pandas_dataframe()["name"].tolist() == ["eve"]
assert names.filter(names["age"] > 30).to_pandas_dataframe()["name"].tolist() == ["ann", "eve"]
assert len(names.take_sample(1.0, seed=1).to_pandas_dataframe()) == 3
first, second = names.random_split(0.5, seed=1)
assert len(first.to_pandas_dataframe()) + len(second.to_pandas_dataframe()) == 3
timed = names.with_timestamp_columns("born")
assert timed.timestamp_columns
csv = names.to_csv_files()
assert csv.download("csv-files", overwrite=True)
kept = names.register(ws, "remaining", tags={"a": "1"})
assert kept.tags == {"a": "1"}
frame = names.to_pandas_dataframe()
written = Dataset.Tabular.register_pandas_dataframe(
    frame, (store, "remaining/frame"), "remaining-frame", show_progress=False
)
assert written.to_pandas_dataframe()["name"].tolist() == ["ann", "bob", "eve"]
files = Dataset.File.from_files((store, "remaining/tree/**"))
assert len(files.take(1).to_path()) == 1 and files.skip(1).to_path() == []

# Compute, environments, secrets
assert "cpu-cluster" in [target.name for target in ComputeTarget.list(ws)]
target = ComputeTarget.create(ws, "remaining", AmlCompute.provisioning_configuration(max_nodes=1))
target.refresh_state()
assert target.serialize()["name"] == "remaining"
target.delete()
environment = Environment("remaining")
assert environment.clone("copied").name == "copied"
environment.save_to_directory("saved-environment")
assert Environment.load_from_directory("saved-environment").name == "remaining"
Path("requirements.txt").write_text("packaging\n")
assert Environment.from_pip_requirements("required", "requirements.txt").register(ws).version == "1"
vault = ws.get_default_keyvault()
vault.set_secret("remaining", "hush")
vault.delete_secrets(["remaining"])
assert "remaining" not in {row["name"] for row in vault.list_secrets()}
