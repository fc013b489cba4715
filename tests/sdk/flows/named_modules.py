"""Modules with versions: publish them, choose among them, and build pipelines of them."""

from pathlib import Path

from azureml.core import Dataset, Experiment, RunConfiguration, Workspace
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import (
    Module,
    ModuleVersion,
    Pipeline,
    PipelineData,
    PipelineDraft,
    PipelineParameter,
)
from azureml.pipeline.core.graph import InputPortDef, OutputPortDef, ParamDef
from azureml.pipeline.steps import ModuleStep

STEPS = str(Path(__file__).parent / "steps")
TARGET = "cpu-cluster"

ws = Workspace.from_config()
store = ws.get_default_datastore()


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


def sum_out():
    return OutputPortDef("sum", default_datastore_name=store.name, default_datastore_mode="mount")


# What describes a module before there is one
assert Module.process_source_directory("adder", STEPS, "add.py") == STEPS
assert "script not found" in refused(
    lambda: Module.process_source_directory("adder", STEPS, "none.py")
)
described = Module.module_def_builder(
    "adder", "", "escloud", [InputPortDef("number")], [sum_out()], param_defs=[ParamDef("more")]
)
assert [port.name for port in described.input_port_defs] == ["number"], described.input_port_defs

# Publishing
module = Module.create(ws, name="adder", description="adds numbers")
assert (module.status, module.default_version, module.module_version_list()) == ("Active", None, [])
assert "adder exists already" in refused(lambda: Module.create(ws, "adder", ""))
assert "'nothing' not found in workspace" in refused(lambda: Module.get(ws, name="nothing"))
first = module.publish_python_script(
    "add.py",
    "starts",
    inputs=[],
    outputs=[sum_out()],
    params={"more": 12},
    version="1.2",
    source_directory=STEPS,
)
number = InputPortDef("number", default_datastore_mode="mount", label="a file with a number")
summed = sum_out()
module.publish_python_script(
    "add.py",
    "goes on",
    inputs=[number],
    outputs=[summed],
    params={"more": ParamDef("more", default_value="1", set_env_var=True)},
    version="1.10",
    source_directory=STEPS,
    category="sums",
    arguments=["--number", number, "--sum", summed, "--more", PipelineParameter("more", 1)],
    runconfig=RunConfiguration(),
)
by_hand = Module.create(ws, name="by hand", description="").publish(
    description="nothing given",
    execution_type="escloud",
    inputs=[],
    outputs=[],
    param_defs=[ParamDef("Script", "add.py"), ParamDef("Target")],
    content_path=STEPS,
)
assert "adlcloud" in refused(lambda: Module.get(ws, name="by hand").publish("", "adlcloud", [], []))

# Looking at them
assert [row.version for row in Module.get_versions(ws, "adder")] == ["1.2", "1.10"]
assert Module.get(ws, name="by hand").module_version_list()[0].version == "1"
again = Module.get(ws, module_id=module.id)
assert (again.name, again.description, again.get_default_version()) == (
    "adder",
    "adds numbers",
    None,
)
version = ModuleVersion.get(ws, first.module_version_id)
assert (version.version, version.status, version.description) == ("1.2", "Active", "starts")
assert (version.module_id, version.module().name) == (module.id, "adder")
assert {port.name for port in version.interface.outputs} == {"sum", "_run_after_output"}
latest = again.resolve()
assert (latest.version, latest.category) == ("1.10", "sums")
assert latest.runconfig.startswith("{")

# Changing what may be changed
again.set_default_version("1.2")
assert Module.get(ws, name="adder").resolve().version == "1.2"
assert again.get_default().module_version_id == first.module_version_id
assert again.resolve("1.10").version == "1.10"
again.set_description("sums")
again.set_name("summer")
assert Module.get(ws, name="summer").description == "sums"
again.set_name("adder")
for one, read in (
    (again, lambda: Module.get(ws, name="adder")),
    (latest, lambda: ModuleVersion.get(ws, latest.module_version_id)),
):
    for change, status in (
        (one.disable, "Disabled"),
        (one.deprecate, "Deprecated"),
        (one.enable, "Active"),
    ):
        change()
        assert one.status == read().status == status
latest.set_description("goes on and on")
assert ModuleVersion.get(ws, latest.module_version_id).description == "goes on and on"

# Two authors at once: what the other one published stays
mine, theirs = Module.get(ws, name="by hand"), Module.get(ws, name="by hand")
for author, name in ((mine, "7"), (theirs, "8")):
    author.publish_python_script(
        "echo.py", "", inputs=[], outputs=[], version=name, source_directory=STEPS
    )
assert "already" in refused(
    lambda: Module.get(ws, name="by hand").publish("", "escloud", [], [], version="7")
)
versions = [row.version for row in Module.get_versions(ws, "by hand")]
assert versions == ["1", "7", "8"], versions


# In pipelines
def sums(*steps, **submitted):
    """The run of these steps, and the sums that they printed."""
    run = Experiment(ws, "named-modules").submit(Pipeline(ws, steps=list(steps)), **submitted)
    assert run.wait_for_completion(show_output=False) == "Finished"
    logs = [step.get_stdout_log() for step in run.get_steps()]
    return run, sorted(line for log in logs for line in log.splitlines() if line.startswith("sum"))


def made(name):
    return PipelineData(name, datastore=store, is_directory=False)


start = PipelineParameter("start", default_value=5)
a, b = made("a"), made("b")
one = ModuleStep(
    module=module,
    version="1.2",
    outputs_map={"sum": a},
    params={"more": start},
    arguments=["--sum", a],
    compute_target=TARGET,
    runconfig=RunConfiguration(),
)
two = ModuleStep(  # arguments and Runconfig of the version
    module_version=latest,
    inputs_map={"number": a},
    outputs_map={"sum": b},
    params={"more": "7"},
    compute_target=TARGET,
)
run, printed = sums(one, two, pipeline_parameters={"start": 20})
assert printed == ["sum 20.0", "sum 27.0"], printed
assert {step.name for step in run.get_steps()} == {"adder"}
assert {node.name for node in run.get_graph().module_nodes} == {"adder"}
published = run.publish_pipeline("of modules", "", "1")
published.save("of_modules.yml")
draft = PipelineDraft.create(ws, pipeline=published, name="of modules", experiment_name="x")
draft.save("of_a_draft.yml")
assert "adder" in Path("of_a_draft.yml").read_text()
draft.delete()
run.save("of_a_run.yml")
assert 'version: "1.10"' in Path("of_modules.yml").read_text().replace("'", '"')

# Data of all kinds in, a parameter on the command line
Path("number.txt").write_text("3")
store.upload_files(["number.txt"], target_path="numbers", show_progress=False)
path = DataPath(store, "numbers/number.txt")
inputs = {
    "reference": DataReference(store, "a_reference", path_on_datastore="numbers/number.txt"),
    "dataset": Dataset.File.from_files([(store, "numbers/number.txt")])
    .as_named_input("number")
    .as_mount(),
    "path": (PipelineParameter("place", default_value=path), DataPathComputeBinding(mode="mount")),
}
for kind, source in inputs.items():
    more, c = PipelineParameter("more", default_value=1), made("c")
    step = ModuleStep(
        module=module,
        version="1.10",
        inputs_map={"number": source},
        outputs_map={"sum": c},
        arguments=["--number", source, "--more", more, "--sum", c],
        compute_target=TARGET,
    )
    _, printed = sums(step, pipeline_parameters={"more": 4})
    assert printed == ["sum 7.0"], (kind, printed)

# What is disabled goes into no new pipeline; one published before goes on
latest.disable()
assert published.submit(ws, "named-modules").wait_for_completion(show_output=False) == "Finished"
assert "Version 1.10 of module adder is disabled" in refused(lambda: sums(one, two))
latest.enable()
again.disable()
assert "Module adder is disabled" in refused(lambda: sums(one, two))
