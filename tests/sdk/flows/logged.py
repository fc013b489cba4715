"""All that a run of one's own can log and keep: images, tables, predictions, code, many children."""

import base64
import json
import zipfile
from pathlib import Path

from azureml.core import Experiment, Run, Workspace

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ACCURACY = {
    "schema_type": "accuracy_table",
    "schema_version": "v1",
    "data": {
        "probability_tables": [
            [[82, 118, 0, 0], [75, 31, 87, 7]],
            [[80, 120, 0, 0], [70, 30, 90, 10]],
        ],
        "percentile_tables": [
            [[82, 118, 0, 0], [75, 31, 87, 7]],
            [[80, 120, 0, 0], [70, 30, 90, 10]],
        ],
        "class_labels": ["0", "1"],
        "probability_thresholds": [0.0, 1.0],
        "percentile_thresholds": [0.0, 1.0],
    },
}
PREDICTIONS = {
    "schema_type": "predictions",
    "schema_version": "v1",
    "data": {
        "bin_averages": [0.25, 0.75],
        "bin_errors": [0.013, 0.042],
        "bin_counts": [56, 34],
        "bin_edges": [0.0, 0.5, 1.0],
    },
}
RESIDUALS = {
    "schema_type": "residuals",
    "schema_version": "v1",
    "data": {"bin_edges": [50, 100, 200, 300], "bin_counts": [0.88, 20, 30]},
}


class Plot:
    """What `log_image` asks of matplotlib's pyplot or of a figure of it."""

    def savefig(self, stream, format):
        assert format == "png"
        stream.write(PIXEL)


ws = Workspace.from_config()
experiment = Experiment(ws, "logged")
run = experiment.start_logging(outputs=None, snapshot_directory=None)
assert run.identity == f"Run#{run.id}"

# Metrics that are files
Path("pixel.png").write_bytes(PIXEL)
run.log_image("picture", path="pixel.png")
run.log_image("drawn", plot=Plot())
run.log_accuracy_table("accuracy", ACCURACY)
run.log_predictions("predictions", PREDICTIONS)
run.log_residuals("residuals", RESIDUALS)
run.flush()
metrics = run.get_metrics()
assert set(metrics) == {"picture", "drawn", "accuracy", "predictions", "residuals"}, metrics
assert all(value.startswith("aml://artifactId/ExperimentRun/") for value in metrics.values())
assert {"pixel.png", "accuracy", "predictions", "residuals"} <= set(run.get_file_names())
run.download_file("pixel.png", "pixel-back.png")
assert Path("pixel-back.png").read_bytes() == PIXEL
populated = run.get_metrics(populate=True)
assert json.loads(populated["accuracy"].data) == ACCURACY
assert json.loads(populated["residuals"].data) == RESIDUALS
assert populated["picture"].data == PIXEL

# Code that a run was made with
Path("code/deep").mkdir(parents=True)
Path("code/train.py").write_text("print('training')\n")
Path("code/deep/more.py").write_text("# more\n")
taken = run.take_snapshot("code")
assert run.get_snapshot_id() == taken
with zipfile.ZipFile(run.restore_snapshot(path=".")) as archive:
    assert sorted(archive.namelist()) == ["deep/more.py", "train.py"], archive.namelist()
    assert archive.read("train.py") == b"print('training')\n"

# Many children at once
children = run.create_children(count=3)
assert [child.get_status() for child in children] == ["Running"] * 3
assert [child.tags for child in children] == [
    {"azureml.batch_child_number": str(number)} for number in range(3)
]
rated = run.create_children(tag_key="rate", tag_values=[0.1, 0.2])
assert [child.tags["rate"] for child in rated] == ["0.1", "0.2"]
for child in [*children, *rated]:
    child.log("loss", 0.5)
    child.complete()
assert len(list(run.get_children())) == 5
assert [found.id for found in run.get_children(tags={"rate": "0.2"})] == [rated[1].id]
found = run.get_metrics(recursive=True, name="loss")
assert len(found) == 5, found

# Started by hand, and of a type of one's own
waiting = run.child_run("waiting")
waiting.start()
assert waiting.get_status() == "Running"
waiting.complete()


class OwnRun(Run):
    pass


Run.add_type_provider("own.kind", lambda experiment, dto, **more: OwnRun(experiment, dto.run_id))
kind = experiment.start_logging(snapshot_directory=None)
kind.add_properties({"azureml.runsource": "own.kind"})
kind.complete()
run.complete()
assert isinstance(Run.get(ws, kind.id), OwnRun)
assert [found.id for found in experiment.get_runs(type="own.kind")] == [kind.id]
