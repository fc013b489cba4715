"""Compute targets in the usual idiom, environments, secrets: what a script sets up first."""

from pathlib import Path

from azureml.core import Environment, Experiment, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import CommandStep, PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
assert [found.name for found in Workspace.list(ws.subscription_id).get(ws.name)] == [ws.name]
assert Workspace.get(ws.name, subscription_id=ws.subscription_id, resource_group=ws.resource_group)
assert ws.get_details()["name"] == ws.name

# Use it, or create it
try:
    target = ComputeTarget(workspace=ws, name="made-by-sdk")
    raise AssertionError("it should not be there yet")
except ComputeTargetException:
    configuration = AmlCompute.provisioning_configuration(
        vm_size="STANDARD_D2_V2", min_nodes=0, max_nodes=4, idle_seconds_before_scaledown=600
    )
    target = ComputeTarget.create(ws, "made-by-sdk", configuration)
    # The studio's own worker serves it (see targets.py)
    target.wait_for_completion(show_output=True, min_node_count=1, timeout_in_minutes=1)
assert target.provisioning_state == "Succeeded"
assert "manage.py worker --queues made-by-sdk" in target.description
again = AmlCompute(ws, "made-by-sdk")
assert again.vm_size == "STANDARD_D2_V2"
assert again.scale_settings.maximum_node_count == 4
assert again.get_status().target_node_count == 4
again.update(max_nodes=6)
assert ws.compute_targets["made-by-sdk"].scale_settings.maximum_node_count == 6
assert ws.compute_targets["cpu-cluster"].type == "AmlCompute"
again.delete()
assert "made-by-sdk" not in ws.compute_targets

# Environments
environment = Environment("sdk-env")
environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["packaging"])
environment.environment_variables = {"COLOUR": "green"}
registered = environment.register(ws)
assert (registered.name, registered.version) == ("sdk-env", "1")
assert environment.register(ws).version == "1"
environment.environment_variables = {"COLOUR": "blue"}
assert environment.register(ws).version == "2"
first = Environment.get(ws, "sdk-env", version="1")
assert first.environment_variables["COLOUR"] == "green"
newest = Environment.get(ws, "sdk-env")
assert newest.version == "2"
assert Environment.get(ws, "sdk-env", label="Latest").version == "2"
assert "packaging" in newest.python.conda_dependencies.serialize_to_string()
assert Environment.list(ws)["sdk-env"].version == "2"
for compute in (None, "cpu-cluster"):
    build = newest.build(ws, image_build_compute=compute).wait_for_completion()
    assert build.status == "Succeeded"
    assert "when a step first needs it" in build.get_log()
assert "sdk-env" in ws.environments
conda = Path("conda.yml")
conda.write_text("name: c\ndependencies:\n- python=3.11\n- pip:\n  - packaging\n")
from_conda = Environment.from_conda_specification("sdk-conda", str(conda)).register(ws)
assert from_conda.version == "1"
assert (
    "packaging"
    in Environment.get(ws, "sdk-conda").python.conda_dependencies.as_dict()["dependencies"][1][
        "pip"
    ]
)

# Secrets
vault = ws.get_default_keyvault()
vault.set_secret("sdk-secret", "hush")
assert vault.get_secret("sdk-secret") == "hush"
assert vault.get_secret_content_type("sdk-secret") == "application/NotProvided"
vault.set_secret("sdk-typed", "hush", content_type="text/plain")
assert vault.get_secret_content_type("sdk-typed") == "text/plain"
vault.set_secrets({"sdk-one": "1", "sdk-two": "2"})
assert vault.get_secrets(["sdk-one", "sdk-two"]) == {"sdk-one": "1", "sdk-two": "2"}
assert {row["name"] for row in vault.list_secrets()} >= {"sdk-secret", "sdk-one", "sdk-two"}
vault.delete_secret("sdk-two")
assert "sdk-two" not in {row["name"] for row in vault.list_secrets()}

# A step in that environment
configuration = RunConfiguration()
configuration.environment = newest
look = PythonScriptStep(
    name="look",
    script_name="surroundings.py",
    runconfig=configuration,
    compute_target="cpu-cluster",
    source_directory=STEPS,
)
say = CommandStep(
    name="say",
    command="echo said by a command",
    runconfig=configuration,
    compute_target="cpu-cluster",
    source_directory=STEPS,
)
say.run_after(look)
run = Experiment(ws, "workspace-things").submit(Pipeline(ws, steps=[look, say]))
assert run.wait_for_completion(show_output=False) == "Finished"
seen = run.find_step_run("look")[0].get_stdout_log()
assert "colour blue" in seen, seen
assert "secret hush" in seen, seen
assert "packaging True" in seen, seen
assert "said by a command" in run.find_step_run("say")[0].get_stdout_log()
