"""Build a pipeline of two steps, run it, and look at everything a run shows."""

import contextlib
import io
from pathlib import Path

from azureml.core import Experiment, Run, Workspace
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, PipelineRun, StepRun
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")

ws = Workspace.from_config()
model = PipelineData("model", datastore=ws.get_default_datastore())
lr = PipelineParameter("lr", default_value=0.1)
train = PythonScriptStep(
    name="train",
    script_name="train.py",
    arguments=["--lr", lr, "--out", model, "--until", "read"],
    outputs=[model],
    compute_target="cpu-cluster",
    source_directory=STEPS,
    allow_reuse=False,
)
score = PythonScriptStep(
    name="score",
    script_name="score.py",
    arguments=["--model", model],
    inputs=[model],
    compute_target="cpu-cluster",
    source_directory=STEPS,
    allow_reuse=False,
)
pipeline = Pipeline(ws, steps=[train, score], description="two steps")
assert pipeline.validate() == []

experiment = Experiment(ws, "submit-and-track")
run = experiment.submit(
    pipeline,
    pipeline_parameters={"lr": 0.7},
    tags={"team": "a"},
    continue_on_step_failure=True,
    regenerate_outputs=True,
)
assert run.get_status() in ("NotStarted", "Running"), run.get_status()


class Printed(io.StringIO):
    """The SDK prints the log of a step that runs: this one goes on once its first line has been read."""

    def write(self, text):
        if "first line" in text:
            run.tag("read", "yes")
        return super().write(text)


printed = Printed()
with contextlib.redirect_stdout(printed):
    assert run.wait_for_completion(show_output=True) == "Finished"
assert "first line" in printed.getvalue(), printed.getvalue()
assert "Execution Summary" in printed.getvalue()

# The run
assert run.get_status() == "Finished"
assert run.get_tags() == {"team": "a", "best": "0.5", "read": "yes"}, run.get_tags()
assert run.get_properties()["azureml.runsource"] == "azureml.PipelineRun"
assert run.get_portal_url().startswith(
    ws._auth_object._get_cloud_type().endpoints.portal or "https"
)
run.tag("reviewed", "yes")
run.set_tags({"team": "b"})
run.add_properties({"ticket": "42"})
run.remove_tags(["best", "read"])
run.display_name = "first run"
run.description = "looked at"
again = PipelineRun.get(ws, run.id)
assert again.get_tags() == {"team": "b", "reviewed": "yes"}, again.get_tags()
assert again.get_properties()["ticket"] == "42"
assert again.display_name == "first run"
assert again.get_details()["status"] == "Completed"
assert set(run.get_graph().node_name_dict) == {"train", "score"}

# Its steps
steps = {step.name: step for step in run.get_steps()}
assert set(steps) == {"train", "score"}
trained = steps["train"]
assert isinstance(trained, StepRun)
assert trained.get_status() == "Finished"
assert trained.get_metrics() == {"accuracy": 0.5, "losses": [3, 2, 1]}, trained.get_metrics()
assert run.get_metrics(recursive=True), "metrics of the steps, by run"
assert trained.get_tags()["stage"] == "training"
names = trained.get_file_names()
assert {"outputs/report.txt", "notes/hello.txt"} <= set(names), names
assert "last line" in trained.get_stdout_log()
assert "last line" in trained.get_stderr_log()
trained.get_job_log()
assert "the model says lr=0.7" in steps["score"].get_stdout_log()
assert trained.parent.id == run.id
assert [step.id for step in run.find_step_run("train")] == [trained.id]
assert {child.id for child in run.get_children()} == {step.id for step in steps.values()}
assert "azureml-logs/70_driver_log.txt" in trained.get_details_with_logs()["logFiles"]
assert any("70_driver_log" in path for path in trained.get_all_logs(destination="logs"))

# What they left
output = trained.get_output_data("model")
assert output.download(local_path="downloaded") == 1
assert next(Path("downloaded").rglob("model.txt")).read_text() == "lr=0.7"
assert set(trained.get_outputs()) == {"model"}
trained.download_file("outputs/report.txt", "report.txt")
assert Path("report.txt").read_text() == "report"
trained.download_files(prefix="notes", output_directory="notes-here")
assert next(Path("notes-here").rglob("hello.txt")).read_text() == "report"

# Finding runs
assert "submit-and-track" in ws.experiments
listed = list(experiment.get_runs())
assert run.id in [found.id for found in listed]
by_tag = list(experiment.get_runs(tags={"team": "b"}))
assert [found.id for found in by_tag] == [run.id]
assert not list(experiment.get_runs(tags={"team": "nobody"}))
by_type = list(experiment.get_runs(type="azureml.PipelineRun"))
assert run.id in [found.id for found in by_type]
assert run.id in [found.id for found in experiment.get_runs(properties={"ticket": "42"})]
assert trained.id in [found.id for found in experiment.get_runs(include_children=True)]
assert ws.get_run(run.id).id == run.id
assert Run.get(ws, trained.id).id == trained.id

# Publishing what ran
published = run.publish_pipeline("from-run", "published from a run", "1.0")
assert published.name == "from-run"
second = published.submit(ws, "submit-and-track")
second.tag("read", "yes")
assert second.wait_for_completion(show_output=False) == "Finished"
