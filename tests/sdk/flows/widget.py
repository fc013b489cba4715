"""The widget of a run shows in a notebook's own kernel, and its data can be had without one."""

import nbformat
from azureml.core import Experiment, Workspace
from azureml.widgets import RunDetails
from nbclient import NotebookClient

ws = Workspace.from_config()
run = Experiment(ws, "widget").start_logging(snapshot_directory=None)
run.log("loss", 0.5)
run.log("loss", 0.25)
run.complete()

data = RunDetails(run).get_widget_data()
assert data["status"] == "Completed" and not data.get("error"), data
assert [row["name"] for row in data["run_metrics"]] == ["loss"], data["run_metrics"]

CELL = f"""
from azureml.core import Workspace
from azureml.widgets import RunDetails
RunDetails(Workspace.from_config().get_run({run.id!r})).show()
"""
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
NotebookClient(notebook, timeout=150, kernel_name="python3").execute()
shown = [output for output in notebook.cells[0].outputs if output.output_type == "display_data"]
assert any("application/vnd.jupyter.widget-view+json" in output.data for output in shown), shown
