"""Microsoft's article "Publish and track machine learning pipelines" (v1), sample after sample."""

import os
from pathlib import Path

import requests
from azureml.core import Dataset, Experiment, Workspace
from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import (
    Pipeline,
    PipelineData,
    PipelineEndpoint,
    PipelineRun,
    PublishedPipeline,
)
from azureml.pipeline.core.graph import PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

project_folder = source_directory = str(Path(__file__).parent / "steps")
compute_target = "cpu-cluster"
ws = Workspace.from_config()
store = ws.get_default_datastore()
Path("article").mkdir()
for name, text in (
    ("one.txt", "same"),
    ("two.txt", "same"),
    ("three.txt", "other"),
    ("training.csv", "name,age\nann,31\n"),
    ("inference.csv", "name,age\nbob,27\neve,40\n"),
):
    Path("article", name).write_text(text)
store.upload("article", target_path="article", show_progress=False)


def log_of(run):
    assert run.wait_for_completion(show_output=False) == "Finished"
    (step,) = run.get_steps()
    return step.get_stdout_log()


def triggered(address, body, header):
    """The run that a POST without the SDK starts."""
    response = requests.post(address, headers=header, json=body, timeout=30)
    assert response.status_code == 200, response.text
    return PipelineRun.get(ws, response.json()["Id"])


# A pipeline that takes a parameter
pipeline_param = PipelineParameter(name="pipeline_arg", default_value=10)
comp_data1 = DataReference(store, "comp_data1", path_on_datastore="article/one.txt")
comp_data2 = DataReference(store, "comp_data2", path_on_datastore="article/two.txt")
out_data3 = PipelineData("out_data3", datastore=store)
compare_step = PythonScriptStep(
    script_name="compare.py",
    arguments=[
        *("--comp_data1", comp_data1, "--comp_data2", comp_data2),
        *("--output_data", out_data3, "--param1", pipeline_param),
    ],
    inputs=[comp_data1, comp_data2],
    outputs=[out_data3],
    compute_target=compute_target,
    source_directory=project_folder,
)
pipeline_run1 = Experiment(ws, "article").submit(Pipeline(ws, steps=[compare_step]))
assert "alike, param1=10" in log_of(pipeline_run1)

# Published from its run
published_pipeline1 = pipeline_run1.publish_pipeline(
    name="My_Published_Pipeline", description="My Published Pipeline Description", version="1.0"
)
assert published_pipeline1.name == "My_Published_Pipeline"
assert published_pipeline1.id in published_pipeline1.get_portal_url()

# Run by REST, with each key the body may have
aad_token = InteractiveLoginAuthentication().get_authentication_header()
run = triggered(
    published_pipeline1.endpoint,
    {"ExperimentName": "My_Pipeline", "ParameterAssignments": {"pipeline_arg": 20}},
    aad_token,
)
assert run.experiment.name == "My_Pipeline"
assert "alike, param1=20" in log_of(run)
run = triggered(
    published_pipeline1.endpoint,
    {
        "ExperimentName": "My_Pipeline",
        "Description": "Asynchronous REST api call",
        "Tags": {"asked": "by REST"},
        "ParameterAssignments": {"pipeline_arg": "30"},
        "DataSetDefinitionValueAssignments": {},
        "DataPathAssignments": {},
    },
    aad_token,
)
assert run.description == "Asynchronous REST api call"
assert run.get_tags() == {"asked": "by REST"}
assert "alike, param1=30" in log_of(run)

# As the Java sample does: a token by client credentials, sent under another scheme's name
origin = published_pipeline1.endpoint.partition("/pipelines/")[0]
tenant = os.environ["AZUREML_SERVICE_PRINCIPAL_TENANT_ID"]
token = requests.post(
    f"{origin}/{tenant}/oauth2/token",
    data={
        "grant_type": "client_credentials",
        "client_id": os.environ["AZUREML_SERVICE_PRINCIPAL_ID"],
        "resource": f"{origin}/",
        "client_secret": os.environ["AZUREML_SERVICE_PRINCIPAL_PASSWORD"],
    },
    timeout=30,
).json()["access_token"]
run = triggered(
    published_pipeline1.endpoint,
    {"ExperimentName": "My_Pipeline", "ParameterAssignments": {"pipeline_arg": "20"}},
    {"Authorization": f"Token {token}"},
)
assert "alike, param1=20" in log_of(run)

# Datasets changed without another build
tabular_dataset = Dataset.Tabular.from_delimited_files((store, "article/training.csv"))
tabular_pipeline_param = PipelineParameter(name="tabular_ds_param", default_value=tabular_dataset)
tabular_ds_consumption = DatasetConsumptionConfig("tabular_dataset", tabular_pipeline_param)
with_pandas = RunConfiguration()
with_pandas.environment.python.conda_dependencies = CondaDependencies.create(
    pip_packages=["azureml-defaults", "pandas"]
)
train_step = PythonScriptStep(
    name="train_step",
    script_name="train_with_dataset.py",
    arguments=["--param1", tabular_ds_consumption],
    inputs=[tabular_ds_consumption],
    compute_target=compute_target,
    runconfig=with_pandas,
    source_directory=source_directory,
)
pipeline = Pipeline(workspace=ws, steps=[train_step])
by_dataset = pipeline.publish(name="by dataset", description="", version="1")
assert "passengers ['ann']" in log_of(by_dataset.submit(ws, "MyRestPipeline"))
tabular_ds2 = Dataset.Tabular.from_delimited_files((store, "article/inference.csv"))
tabular_ds2 = tabular_ds2.register(ws, "article-inference")
swapped = {"tabular_ds_param": {"SavedDataSetReference": {"Id": tabular_ds2.id}}}
run = triggered(
    by_dataset.endpoint,
    {"ExperimentName": "MyRestPipeline", "DataSetDefinitionValueAssignments": swapped},
    aad_token,
)
assert "passengers ['bob', 'eve']" in log_of(run)

# Data paths changed likewise
path_param = PipelineParameter("second", default_value=DataPath(store, "article/two.txt"))
second = (path_param, DataPathComputeBinding(mode="mount"))
compare_paths = PythonScriptStep(
    script_name="compare.py",
    arguments=["--comp_data1", comp_data1, "--comp_data2", second, "--output_data", out_data3],
    inputs=[comp_data1, second],
    outputs=[out_data3],
    compute_target=compute_target,
    source_directory=project_folder,
)
by_path = Pipeline(ws, steps=[compare_paths]).publish("by path", "", "1")
assert "alike" in log_of(by_path.submit(ws, "MyRestPipeline"))
other = {"DataStoreName": store.name, "RelativePath": "article/three.txt"}
run = triggered(
    by_path.endpoint,
    {"ExperimentName": "MyRestPipeline", "DataPathAssignments": {"second": other}},
    aad_token,
)
assert "different" in log_of(run)

# An endpoint with versions
published_pipeline = PublishedPipeline.get(workspace=ws, id=published_pipeline1.id)
pipeline_endpoint = PipelineEndpoint.publish(
    workspace=ws,
    name="PipelineEndpointTest",
    pipeline=published_pipeline,
    description="Test description Notebook",
)
assert pipeline_endpoint.description == "Test description Notebook"
pipeline_endpoint_by_name = PipelineEndpoint.get(workspace=ws, name="PipelineEndpointTest")
run_id = pipeline_endpoint_by_name.submit("PipelineEndpointExperiment")
assert "param1=10" in log_of(run_id)
pipeline_endpoint_by_name.add_default(by_path)
pipeline_endpoint_by_name = PipelineEndpoint.get(workspace=ws, name="PipelineEndpointTest")
run_id = pipeline_endpoint_by_name.submit("PipelineEndpointExperiment", pipeline_version="0")
assert "param1=10" in log_of(run_id), "the first version, although another is the default"
rest_endpoint = pipeline_endpoint_by_name.endpoint
run = triggered(
    rest_endpoint,
    {
        "ExperimentName": "PipelineEndpointExperiment",
        "RunSource": "API",
        "ParameterAssignments": {"1": "united", "2": "city"},  # which it does not have
    },
    aad_token,
)
assert "alike, param1=0" in log_of(run)
for address in (f"{rest_endpoint}/0", f"{rest_endpoint}?pipelineVersion=0"):
    run = triggered(
        address,
        {
            "ExperimentName": "PipelineEndpointExperiment",
            "ParameterAssignments": {"pipeline_arg": 40},
        },
        aad_token,
    )
    assert "param1=40" in log_of(run), address

# Disabled and enabled
p = PublishedPipeline.get(ws, id=published_pipeline1.id)
p.disable()
assert p.id not in [found.id for found in PublishedPipeline.list(ws)]
response = requests.post(
    p.endpoint, headers=aad_token, json={"ExperimentName": "My_Pipeline"}, timeout=30
)
assert response.status_code == 400, response.text
assert "disabled" in response.json()["Error"]["Message"]
p.enable()
assert p.id in [found.id for found in PublishedPipeline.list(ws)]
run = triggered(p.endpoint, {"ExperimentName": "My_Pipeline"}, aad_token)
assert "param1=10" in log_of(run)
