"""Steps in sequences, and what they run in: run configurations, from files too, and their packages."""

from itertools import pairwise
from pathlib import Path

from azureml.core import Dataset, Environment, Experiment, RunConfiguration, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, StepSequence
from azureml.pipeline.steps import CommandStep, PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()

# Packages, added and removed in every way
packages = CondaDependencies.create(
    pip_packages=["packaging>=20", "humanize"],
    conda_packages=["six"],
    python_version="3.11",
    pin_sdk_version=False,
)
packages.add_channel("conda-forge")
packages.add_channel("mine")
packages.remove_channel("mine")
packages.add_conda_package("toolz")
packages.remove_conda_package("six")
packages.add_pip_package("iniconfig==2.0.0")
packages.remove_pip_package("humanize")
packages.set_pip_option("--pre")
packages.remove_pip_option("--pre")
packages.set_pip_index_url("--index-url https://pypi.python.org/simple")
assert list(packages.conda_channels) == ["anaconda", "conda-forge"], [*packages.conda_channels]
assert "toolz" in packages.conda_packages and "six" not in packages.conda_packages
assert {"packaging>=20", "iniconfig==2.0.0"} <= set(packages.pip_packages)
assert "humanize" not in packages.pip_packages
assert any("pypi.python.org" in option for option in packages.pip_options)
required = [*packages.pip_options, *packages.pip_packages]
packages.set_pip_requirements(required)
assert [*packages.pip_options, *packages.pip_packages] == required
assert packages.get_python_version() == "3.11"
packages.set_python_version("3.11")
assert packages.as_dict()["name"] in packages.serialize_to_string()
packages.save_to_file(".", "packages.yml")
packages.save("saved.yml")
same = CondaDependencies(conda_dependencies_file_path="packages.yml")
assert same.as_dict() == packages.as_dict()
assert CondaDependencies.merge_requirements(["a>1", "a<2"]) == ["a>1,<2"]
assert packages.sdk_origin_url().startswith("https://")
assert packages.get_default_number_of_packages()

registered = Environment("authoring")
registered.python.conda_dependencies = packages
registered.register(ws)
kept = Environment.get(ws, "authoring").python.conda_dependencies
assert kept.as_dict() == packages.as_dict()

# A run configuration, by way of a file
written = RunConfiguration()
written.target = "cpu-cluster"
written.environment = Environment.get(ws, "authoring")
written.environment_variables = {"COLOUR": "green"}
Path(".azureml").mkdir()  # it says that this is the folder of a project
written.save(path=".", name="authored.runconfig")
configuration = RunConfiguration.load(path=".", name="authored")
RunConfiguration.delete(path=".", name="authored")
assert configuration.target == "cpu-cluster" and configuration.auto_prepare_environment
assert configuration.environment_variables == {"COLOUR": "green"}
ws.get_default_keyvault().set_secret("sdk-secret", "hush")
look = PythonScriptStep(
    name="look",
    script_name="surroundings.py",
    runconfig=configuration,
    source_directory=STEPS,
    allow_reuse=False,
)
say = CommandStep(
    name="say",
    command="echo it is $COLOUR",
    runconfig=configuration,
    source_directory=STEPS,
    allow_reuse=False,
)


def echo(name: str) -> PythonScriptStep:
    return PythonScriptStep(
        name=name,
        script_name="echo.py",
        arguments=["--text", name],
        compute_target="cpu-cluster",
        source_directory=STEPS,
        allow_reuse=False,
    )


# What one output takes up, and a run below another
out = OutputFileDatasetConfig("kept", destination=(ws.get_default_datastore(), "kept/{run-id}"))
Path("code").mkdir()
Path("code/leave.py").write_text(
    "import pathlib, sys\n"
    "for name in ('a.csv', 'b.log'):\n"
    "    pathlib.Path(sys.argv[1], name).write_text('1')\n"
)
leave = PythonScriptStep(
    name="leave",
    script_name="leave.py",
    arguments=[out.as_upload(source_globs=["*.csv"])],
    compute_target="cpu-cluster",
    allow_reuse=False,
)
with Experiment(ws, "authoring").start_logging(snapshot_directory=None) as own:
    below = Pipeline(ws, steps=[leave], default_source_directory="code").submit(
        "authoring", parent_run_id=own.id
    )
    assert below.wait_for_completion(show_output=False) == "Finished"
    assert below.parent.id == own.id and [child.id for child in own.get_children()] == [below.id]
(left,) = below.get_steps()
assert left.pipeline_run_id == below.id and left.get_status() == "Finished"
assert below.find_step_run("leave")[0].id == left.id
kept = Dataset.File.from_files((ws.get_default_datastore(), f"kept/{left.id}/**"))
assert kept.to_path() == ["/a.csv"], kept.to_path()

# Where a script looks for its data, by a path of its own
Path("code/look.py").write_text("print(sorted(__import__('os').listdir('data/in')))")
there = PythonScriptStep(
    name="there",
    script_name="look.py",
    inputs=[kept.as_named_input("given").as_mount("data/in")],
    compute_target="cpu-cluster",
    source_directory="code",
)
looking = Experiment(ws, "authoring").submit(Pipeline(ws, steps=[there]))
assert looking.wait_for_completion(show_output=False) == "Finished"
assert "['a.csv']" in looking.find_step_run("there")[0].get_stdout_log()

# Environments that Azure had
try:
    Environment.get(ws, "AzureML-Minimal")
except Exception as error:  # noqa: BLE001 - the SDK raises no class of its own
    assert "from_pip_requirements('AzureML-Minimal'" in str(error), error
else:
    raise AssertionError("there is one already")
Path("requirements.txt").write_text("packaging\n")
Environment.from_pip_requirements("AzureML-Minimal", "requirements.txt").register(ws)
assert Environment.get(ws, "AzureML-Minimal").version == "1"

# One after another, then two side by side, then one that follows both and also the first
first, one, other, last = (echo(name) for name in ("first", "one", "other", "last"))
last.run_after(first)
steps = StepSequence([look, first, [one, other], last, say])
run = Experiment(ws, "authoring").submit(Pipeline(ws, steps=steps))
assert run.wait_for_completion(show_output=False) == "Finished"
seen = run.find_step_run("look")[0].get_stdout_log()
assert "colour green" in seen and "packaging True" in seen, seen
assert "it is green" in run.find_step_run("say")[0].get_stdout_log()
times = {step.name: step.get_details() for step in run.get_steps()}
order = ("look", "first", "one", "last", "say")
for before, after in pairwise(order):
    assert times[before]["endTimeUtc"] <= times[after]["startTimeUtc"], (before, after)
assert times["other"]["endTimeUtc"] <= times["last"]["startTimeUtc"]
assert times["first"]["endTimeUtc"] <= times["other"]["startTimeUtc"]
