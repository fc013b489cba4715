"""Runs that a script on a workstation drives itself: start, log, upload, children, end."""

from pathlib import Path

from azureml.core import Experiment, Run, Workspace

ws = Workspace.from_config()
experiment = Experiment(ws, "own-runs")
run = experiment.start_logging(outputs=None, snapshot_directory=None)
assert run.get_status() == "Running"
run.log("accuracy", 0.25)
run.log("accuracy", 0.5)
run.log_row("points", x=1, y=2.5)
run.log_list("list", [1, 2, 3])
run.log_table("table", {"a": [1, 2], "b": [3, 4]})
run.tag("kind", "own")
run.add_properties({"ticket": "7"})
Path("report.txt").write_text("report")
run.upload_file("outputs/report.txt", "report.txt")
NAMES = ["a b.txt", "ü 日本.txt", "50% & more+;'.txt", "./plain.txt"]
for name in NAMES:
    run.upload_file(name, "report.txt")
for number in range(200):
    run.log("steps", number)
run.log_list("mixed", [1, "x"])
run.log_row("ragged", a=1)
run.log_row("ragged", b="x")
child = run.child_run(name="child")
child.log("loss", 1.5)
child.complete()
failing = run.child_run(name="failing")
failing.fail(error_details="it went wrong")
assert run.description is None
run.complete()
assert run.wait_for_completion(show_output=False)["status"] == "Completed"
assert run.get_details_with_logs()["runId"] == run.id

again = ws.get_run(run.id)
assert again.get_status() == "Completed"
metrics = again.get_metrics()
assert metrics["accuracy"] == [0.25, 0.5], metrics
assert metrics["points"] == {"x": 1, "y": 2.5}, metrics
assert metrics["list"] == [1, 2, 3], metrics
assert metrics["steps"] == list(range(200)), metrics["steps"]
assert metrics["mixed"] == [1, "x"], metrics["mixed"]
assert metrics["ragged"] == {"a": [1, None], "b": [None, "x"]}, metrics["ragged"]
assert metrics["table"] == {"a": [1, 2], "b": [3, 4]}, metrics
assert again.get_tags()["kind"] == "own"
assert again.get_properties()["ticket"] == "7"
kept = {name.removeprefix("./") for name in NAMES}
assert set(again.get_file_names()) == {"outputs/report.txt", *kept}
for name in kept:
    again.download_file(name, "again.txt")
    assert Path("again.txt").read_text() == "report"
    Path("again.txt").unlink()
again.download_file("outputs/report.txt", "back.txt")
assert Path("back.txt").read_text() == "report"
# The SDK itself puts the parent's name before a child's.
children = {found.name.rpartition(">")[2]: found for found in again.get_children()}
assert {name: found.get_status() for name, found in children.items()} == {
    "child": "Completed",
    "failing": "Failed",
}
assert children["child"].parent.id == run.id
assert children["child"].get_metrics() == {"loss": 1.5}
assert "it went wrong" in str(children["failing"].get_details()["error"])
assert run.id in [found.id for found in experiment.get_runs()]
assert isinstance(Run.get(ws, run.id), Run)
assert experiment.get_portal_url().startswith("https://")
