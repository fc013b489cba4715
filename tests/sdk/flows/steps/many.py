"""A script that makes children of its run at once, and logs what a file holds."""

import pathlib

from azureml.core import Run

run = Run.get_submitted_run()
pathlib.Path("kept").mkdir()
pathlib.Path("kept/note.txt").write_text("of a child")
for child in run.create_children(tag_key="rate", tag_values=[1, 2]):
    assert child.take_snapshot("kept") == child.get_snapshot_id()
    child.log("loss", 0.5)
    child.complete()
document = {
    "schema_type": "predictions",
    "schema_version": "v1",
    "data": {"bin_averages": [0.5], "bin_errors": [0.1], "bin_counts": [3], "bin_edges": [0, 1]},
}
run.log_predictions("predictions", document)
run.log_accuracy_table("table", "{}")
run.log_residuals("residuals", {})
run.log("accuracy", 0.5)
