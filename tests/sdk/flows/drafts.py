"""Pipeline drafts: made of a pipeline, a run, a published pipeline or a draft, changed, run, published."""

from pathlib import Path

from azureml.core import Dataset, Experiment, Workspace
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import (
    Pipeline,
    PipelineDraft,
    PipelineParameter,
    PipelineRun,
    PublishedPipeline,
)
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()


def pipeline(text, name="echo"):
    step = PythonScriptStep(
        name=name,
        script_name="echo.py",
        arguments=["--text", PipelineParameter("text", default_value=text)],
        compute_target="cpu-cluster",
        source_directory=STEPS,
    )
    return Pipeline(ws, steps=[step])


def said(run, name="echo"):
    assert run.wait_for_completion(show_output=False) == "Finished"
    return run.find_step_run(name)[0].get_stdout_log().strip()


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Made of a pipeline
draft = PipelineDraft.create(
    ws,
    pipeline("one"),
    name="first",
    description="a draft",
    experiment_name="drafts",
    continue_on_step_failure=True,
    tags={"team": "a", "dotted.key": "x"},
    properties={"origin": "flow"},
)
assert (draft.name, draft.description) == ("first", "a draft")
assert draft.tags == {"team": "a", "dotted.key": "x"}
assert draft.properties == {"origin": "flow"}
assert draft.parent_pipeline_id is None
assert draft.last_submitted_pipeline_run_id is None
again = PipelineDraft.get(ws, draft.id)
assert (again.id, again.name, again.tags) == (draft.id, "first", draft.tags)
assert list(draft.get_graph().node_name_dict) == ["echo"]

# Listed, by tags too
assert draft.id in [found.id for found in PipelineDraft.list(ws)]
assert [found.id for found in PipelineDraft.list(ws, tags={"team": "a"})] == [draft.id]
assert [found.id for found in PipelineDraft.list(ws, tags={"dotted.key": "x"})] == [draft.id]
assert PipelineDraft.list(ws, tags={"team": "b"}) == []

# Run
run = draft.submit_run()
assert isinstance(run, PipelineRun)
assert said(run) == "one"
assert run.id in [found.id for found in Experiment(ws, "drafts").get_runs()]
assert PipelineDraft.get(ws, draft.id).last_submitted_pipeline_run_id == run.id
assert said(Experiment(ws, "drafts").submit(draft)) == "one"

# Changed, and run again: the last change is what runs
draft.update(name="second", description="changed", tags={"team": "b"})
assert (draft.name, draft.description, draft.tags) == ("second", "changed", {"team": "b"})
assert said(draft.submit_run()) == "one"
draft.update(pipeline_parameters={"text": "two"})
assert said(draft.submit_run()) == "two"
draft.update(pipeline=pipeline("three", name="echo-again"), pipeline_parameters={})
assert list(draft.get_graph().node_name_dict) == ["echo-again"]
assert said(draft.submit_run(), "echo-again") == "three"
draft.update(pipeline=pipeline("four"))  # its own default, not the one before
assert said(draft.submit_run()) == "four"
draft.update(pipeline=pipeline("other"), pipeline_parameters={"text": "four"})
assert said(draft.submit_run()) == "four"
draft.update(pipeline=pipeline("last"))
assert said(draft.submit_run()) == "four", "a value that was given stays"
draft.update(pipeline_parameters={})
assert said(draft.submit_run()) == "last"
draft.update(pipeline_parameters={"text": "other"})
assert said(draft.submit_run()) == "other"
draft.update(pipeline=pipeline("four"), pipeline_parameters={})
draft.update(experiment_name="more-drafts", continue_on_step_failure=False)
moved = draft.submit_run()
assert moved.experiment.name == "more-drafts"
assert said(moved) == "four"

# Published: a pipeline of its own, with the draft's values as its defaults
draft.update(pipeline_parameters={"text": "five"})
published = draft.publish()
assert isinstance(published, PublishedPipeline)
assert PublishedPipeline.get(ws, published.id).name == "second"
assert published.endpoint.startswith("https://")
draft.update(pipeline_parameters={"text": "six"})
assert said(published.submit(ws, "drafts")) == "five"
assert said(published.submit(ws, "drafts", pipeline_parameters={"text": "seven"})) == "seven"

# Made of a draft, a published pipeline and a run
cloned = PipelineDraft.create(ws, draft)
assert cloned.id != draft.id
assert cloned.parent_pipeline_draft_id == draft.id
assert cloned.name == "second"
assert said(cloned.submit_run()) == "six"
of_published = PipelineDraft.create(ws, published)
assert of_published.parent_pipeline_id == published.id
assert said(of_published.submit_run()) == "five"
of_run = PipelineDraft.create(ws, run)
assert of_run.parent_pipeline_run_id == run.id
assert of_run.parent_step_run_ids == [step.id for step in run.get_steps()]
assert said(of_run.submit_run()) == "one"
cloned.update(name="cloned")
assert PipelineDraft.get(ws, draft.id).name == "second", "a clone is a draft of its own"

# Data as parameters
store = ws.get_default_datastore()
for name in ("a", "b", "c"):
    Path("drafts", name).mkdir(parents=True, exist_ok=True)
    Path("drafts", name, "word.txt").write_text(name)
    store.upload(f"drafts/{name}", f"drafts/{name}", overwrite=True, show_progress=False)
place = PipelineParameter("place", DataPath(store, "drafts/a"))
files = PipelineParameter("files", Dataset.File.from_files((store, "drafts/b/word.txt")))
bound = (place, DataPathComputeBinding("mount"))
given = DatasetConsumptionConfig("given", files).as_mount()
show = PythonScriptStep(
    name="echo",
    script_name="show_files.py",
    arguments=[bound, given],
    inputs=[bound, given],
    compute_target="cpu-cluster",
    source_directory=STEPS,
)
of_data = PipelineDraft.create(ws, Pipeline(ws, [show]), name="data", experiment_name="drafts")
assert set(of_data.get_graph().node_name_dict) == {"echo", "place", "files"}
assert said(of_data.submit_run()).split() == ["a", "b"]
of_data.update(pipeline_parameters={"place": DataPath(store, "drafts/c")})
of_data.update(name="data still")
assert said(of_data.submit_run()).split() == ["c", "b"]
third = Dataset.File.from_files((store, "drafts/c/word.txt"))
of_data.update(pipeline_parameters={"files": third})
assert said(of_data.submit_run()).split() == ["a", "c"]
assert said(of_data.publish().submit(ws, "drafts")).split() == ["a", "c"]

# Deleted; what was made of it stays
draft.delete()
assert "not found" in refused(lambda: PipelineDraft.get(ws, draft.id))
assert draft.id not in [found.id for found in PipelineDraft.list(ws)]
assert PublishedPipeline.get(ws, published.id).status == "Active"
assert said(cloned.submit_run()) == "six"
