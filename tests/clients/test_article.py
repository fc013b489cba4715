"""The article's own calls against a real studio: what the caller sends is what the step reads."""

import pytest

DATASETS = "/dataset/v1.0{}/datasets/query/name={}?includeLatestDefinition=true"


def log_of(live, run_id: str) -> str:
    """What all steps of a run printed."""
    url = f"/history/v1.0{live.scope}/runs/{run_id}/children"
    nodes = [row["tags"]["azureml.nodeid"] for row in live.get(url)[1]["value"]]
    stdout = f"{live.pipelines}/PipelineRuns/{run_id}/Graph/Shareable/STDOUT"
    return "".join(live.call("POST", stdout, [node])[1] for node in nodes)


def finished(live, endpoint: str, **body) -> str:
    run_id = live.trigger(endpoint, **body)
    run = live.wait(run_id)
    assert run["Status"]["StatusCode"] == "Finished", run
    return log_of(live, run_id)


@pytest.mark.parametrize(("name", "rows"), [("training", 691), ("inference", 200)])
def test_a_dataset_is_switched_by_its_saved_id(live_studio, name, rows):
    status, dataset = live_studio.get(DATASETS.format(live_studio.scope, f"titanic-{name}"))
    assert status == 200, dataset
    chosen = {"SavedDataSetReference": {"Id": dataset["latest"]["savedDatasetId"]}}
    log = finished(
        live_studio, "titanic", DataSetDefinitionValueAssignments={"tabular_ds_param": chosen}
    )
    assert f"{rows} passengers" in log


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_data_path_is_switched(live_studio, place):
    chosen = {"DataStoreName": "workspaceblobstore", "RelativePath": f"samples/datapath/{place}"}
    log = finished(live_studio, "datapath", DataPathAssignments={"input_datapath": chosen})
    assert f"The {place} place" in log


@pytest.mark.parametrize("value", [20, "20"])
def test_a_parameter_reaches_the_step(live_studio, value):
    log = finished(live_studio, "compare", ParameterAssignments={"pipeline_arg": value})
    assert "param1 = 20" in log


def test_version_0_of_an_endpoint_whose_default_is_1(live_studio):
    endpoint = live_studio.get(f"{live_studio.pipelines}/PipelineEndpoints/Name?Name=compare")[1]
    assert endpoint["DefaultVersion"] == "1"
    path = f"{live_studio.pipelines}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint['Id']}/0"
    status, run = live_studio.call("POST", path, {"ExperimentName": "PipelineEndpointExperiment"})
    assert status == 200
    assert run["PipelineId"] == endpoint["PipelineVersionList"][0]["PipelineId"]
    assert live_studio.wait(run["Id"])["Status"]["StatusCode"] == "Finished"
