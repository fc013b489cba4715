"""A pipeline from a YAML file, which the SDK reads by itself, with steps of scripts and of a module."""

from pathlib import Path

from azureml.core import Dataset, Experiment, Workspace
from azureml.pipeline.core import Module, Pipeline, PublishedPipeline
from azureml.pipeline.core.graph import InputPortDef, OutputPortDef

STEPS = str(Path(__file__).parent / "steps")
FILE = f"""
pipeline:
    description: sums
    parameters:
        more:
            type: int
            default: 40
        place:
            type: datapath
            default:
                datastore: workspaceblobstore
                path_on_datastore: yaml/number.txt
    data_references:
        raw:
            datastore: workspaceblobstore
            path_on_datastore: yaml/number.txt
        kept:
            dataset_name: yaml-number
    default_compute: cpu-cluster
    steps:
        Start:
            type: PythonScriptStep
            name: start
            script_name: add.py
            source_directory: {STEPS}
            allow_reuse: false
            arguments: ["--number", "input:number", "--more", "parameter:more", "--sum", "output:sum"]
            parameters:
                more:
                    source: more
            inputs:
                number:
                    source: place
            outputs:
                sum:
                    destination: first
                    datastore: workspaceblobstore
                    bind_mode: upload
        GoOn:
            type: ModuleStep
            name: yaml-adder
            version: "1"
            arguments: ["--number", "input:number", "--more", "parameter:more", "--sum", "output:sum"]
            parameters:
                more: "100"
            inputs:
                number:
                    source: first
            outputs:
                sum:
                    destination: second
                    datastore: workspaceblobstore
        Finish:
            type: PythonScriptStep
            name: finish
            script_name: add.py
            source_directory: {STEPS}
            arguments: ["--number", "input:number"]
            inputs:
                number:
                    source: second
                    bind_mode: download
        Reference:
            type: PythonScriptStep
            name: reference
            script_name: add.py
            source_directory: {STEPS}
            arguments: ["--number", "input:number"]
            inputs:
                number:
                    source: raw
        Dataset:
            type: PythonScriptStep
            name: dataset
            script_name: add.py
            source_directory: {STEPS}
            arguments: ["--number", "input:number"]
            inputs:
                number:
                    source: kept
"""

ws = Workspace.from_config()
store = ws.get_default_datastore()
Path("number.txt").write_text("3")
store.upload_files(["number.txt"], target_path="yaml", show_progress=False)
Dataset.File.from_files([(store, "yaml/number.txt")]).register(ws, "yaml-number")
Module.create(ws, name="yaml-adder", description="").publish_python_script(
    "add.py",
    "adds",
    inputs=[InputPortDef("number", default_datastore_mode="mount")],
    outputs=[
        OutputPortDef("sum", default_datastore_name=store.name, default_datastore_mode="mount")
    ],
    params={"more": 0},
    version="1",
    source_directory=STEPS,
)
Path("pipeline.yml").write_text(FILE)

pipeline = Pipeline.load_yaml(ws, "pipeline.yml")
assert pipeline.validate() == []
run = Experiment(ws, "load-yaml").submit(pipeline, pipeline_parameters={"more": 2})
assert run.wait_for_completion(show_output=False) == "Finished"
printed = {step.name: step.get_stdout_log().strip() for step in run.get_steps()}
assert printed == {
    "start": "sum 5.0",
    "yaml-adder": "sum 105.0",
    "finish": "sum 105.0",
    "reference": "sum 3.0",
    "dataset": "sum 3.0",
}, printed
published = pipeline.publish("from yaml", "sums", "1")
assert PublishedPipeline.get(ws, published.id).name == "from yaml"
assert published.submit(ws, "load-yaml").wait_for_completion(show_output=False) == "Finished"
