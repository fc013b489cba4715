"""A single script as a run: submit it, follow it, look at all it left, let others fail and be canceled."""

import contextlib
import io
import time
from pathlib import Path

from azureml.core import (
    Dataset,
    Environment,
    Experiment,
    Run,
    RunConfiguration,
    ScriptRunConfig,
    Workspace,
)
from azureml.core.script_run import ScriptRun
from azureml.data import OutputFileDatasetConfig
from azureml.exceptions import ActivityFailedException

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
experiment = Experiment(ws, "script-runs")
environment = Environment("plain")


def config(script, *arguments, **more):
    settings = {"compute_target": "cpu-cluster", "environment": environment} | more
    return ScriptRunConfig(STEPS, script=script, arguments=list(arguments), **settings)


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Submitted, followed to its end
coloured = config("alone.py", "--lr", 0.7, "--text", "two words", "--seconds", 3)
coloured.run_config.environment_variables = {"COLOUR": "blue"}
run = experiment.submit(coloured, tags={"team": "a"})
assert isinstance(run, ScriptRun)
assert run.status not in ("Completed", "Failed", "Canceled")
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    details = run.wait_for_completion(show_output=True)
assert "lr=0.7 text='two words' colour=blue" in printed.getvalue(), printed.getvalue()
assert "the end" in printed.getvalue()
assert f"I am {run.id}" in printed.getvalue(), "the script is the run that was submitted"
assert details["status"] == "Completed", details
assert run.get_status() == "Completed"

# What it left
assert run.get_metrics() == {"accuracy": 0.5, "losses": [3, 2, 1]}, run.get_metrics()
assert "outputs/report.txt" in run.get_file_names(), run.get_file_names()
run.download_file("outputs/report.txt", "alone-report.txt")
assert Path("alone-report.txt").read_text() == "report"
assert run.get_tags() == {"team": "a", "stage": "training"}, run.get_tags()
assert run.get_properties()["ContentSnapshotId"] == run.get_snapshot_id()
assert run.get_details()["target"] == "cpu-cluster"
assert run.get_details()["runDefinition"]["script"] == "alone.py"
used = run.get_environment()
assert (used.name, used.version) == ("plain", f"Autosave_{run.id}"), used
assert "azureml-defaults" in used.python.conda_dependencies.serialize_to_string()
assert "azureml-logs/70_driver_log.txt" in run.get_details_with_logs()["logFiles"]
assert run.parent is None
assert list(run.get_children()) == []
assert run.get_portal_url().startswith("https://")

# Found again
listed = list(experiment.get_runs())
assert [found.id for found in listed] == [run.id], listed
assert isinstance(listed[0], ScriptRun)
assert [found.id for found in experiment.get_runs(tags={"team": "a"})] == [run.id]
assert [found.id for found in experiment.get_runs(type="azureml.scriptrun")] == [run.id]
assert [found.id for found in experiment.get_runs(include_children=True)] == [run.id]
again = Run.get(ws, run.id)
assert again.get_metrics()["accuracy"] == 0.5
assert again._run_config.script == "alone.py"

# A command, a run configuration, a dataset in and one out
command = ScriptRunConfig(
    STEPS, command=["echo", "$COLOUR", "&&", "cat", "echo.py"], compute_target="cpu-cluster"
)
command.run_config.environment_variables = {"COLOUR": "green"}
said = experiment.submit(command)
said.wait_for_completion()
assert "green" in said.get_details_with_logs()["logFiles"]["azureml-logs/70_driver_log.txt"]
old = RunConfiguration()
old.target = "cpu-cluster"
old_run = experiment.submit(ScriptRunConfig(STEPS, "echo.py", ["--text", "old"], run_config=old))
old_run.wait_for_completion()
assert "old" in old_run.get_details_with_logs()["logFiles"]["azureml-logs/70_driver_log.txt"]

store = ws.get_default_datastore()
Path("given").mkdir(exist_ok=True)
Path("given/words.txt").write_text("words of a file")
store.upload("given", "script-run/given", overwrite=True)
words = Dataset.File.from_files((store, "script-run/given/words.txt"))
left = OutputFileDatasetConfig(name="left", destination=(store, "script-run/left"))
copying = experiment.submit(
    config(
        "copy_words.py",
        "--given",
        words.as_named_input("words").as_mount(),
        "--left",
        left.register_on_complete("words-left"),
    )
)
copying.wait_for_completion()
assert copying.get_status() == "Completed"
details = copying.get_details()
assert details["inputDatasets"][0]["dataset"].to_path() == ["/words.txt"]
made = Dataset.get_by_name(ws, "words-left")
assert details["outputDatasets"][0]["dataset"].id == made.id
made.download("left-here")
assert next(Path("left-here").rglob("words.txt")).read_text() == "WORDS OF A FILE"

# Ends badly
failing = experiment.submit(config("fails.py"))
try:
    failing.wait_for_completion()
except ActivityFailedException as error:
    assert "this step always fails" in str(error), error
else:
    raise AssertionError("a failed run raised nothing")
assert failing.get_status() == "Failed"
endless = experiment.submit(config("endless.py"))
for _ in range(300):
    logs = endless.get_details_with_logs()["logFiles"]
    if "waiting" in logs.get("azureml-logs/70_driver_log.txt", ""):
        break
    time.sleep(0.1)
else:
    raise AssertionError("the log of a step that runs never came")
endless.cancel()
endless.wait_for_completion(raise_on_error=False)
assert endless.get_status() == "Canceled"
Run.get(ws, endless.id).cancel()  # over already: nothing happens

# Refused, and why
assert "not found in workspace" in refused(
    lambda: experiment.submit(config("alone.py", compute_target="nowhere"))
)
several = config("alone.py")
several.run_config.node_count = 2
assert "nodeCount" in refused(lambda: experiment.submit(several))
spark = config("alone.py")
spark.run_config.framework = "PySpark"
assert "framework" in refused(lambda: experiment.submit(spark))
assert "compute target" in refused(
    lambda: experiment.submit(ScriptRunConfig(STEPS, "alone.py", environment=environment))
)
