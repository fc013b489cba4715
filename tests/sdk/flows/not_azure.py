"""What belongs to services of Azure: empty lists where a script only looks, and refusals with advice."""

from pathlib import Path

from azureml.core import Datastore, Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AksCompute, AmlCompute, ComputeTarget
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice
from azureml.train.hyperdrive import (
    HyperDriveConfig,
    PrimaryMetricGoal,
    RandomParameterSampling,
    choice,
)

ws = Workspace.from_config()


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Looking
assert ws.webservices == ws.images == ws.linked_services == ws.private_endpoints == {}
assert ws.list_connections() == "[]"
assert ws.sku == "Basic"
ws.sync_keys()
ws.set_default_datastore(ws.get_default_datastore().name)
assert "not found in workspace" in refused(lambda: ws.set_default_datastore("elsewhere"))

# "Make it, or use it": the second half works
here = {"subscription_id": ws.subscription_id, "resource_group": ws.resource_group}
assert Workspace.create(ws.name, exist_ok=True, **here).name == ws.name
assert Workspace.setup().name == ws.name
assert "already exists" in refused(lambda: Workspace.create(ws.name, **here))
assert "manage.py workspace add" in refused(lambda: ws.update(description="another"))
assert "manage.py workspace add" in refused(ws.delete)

# Images and deployments
environment = Environment("no-image").register(ws)
assert "virtual environment" in refused(lambda: environment.get_image_details(ws))
Path("model.txt").write_text("a model")
Path("score.py").write_text("def init(): pass\n\n\ndef run(data): return data\n")
model = Model.register(ws, model_path="model.txt", model_name="not-deployed")
served = InferenceConfig(entry_script="score.py", environment=Environment("serving"))
size = AciWebservice.deploy_configuration()
assert "Model.download" in refused(lambda: Model.deploy(ws, "service", [model], served, size))
assert "Model.download" in refused(lambda: Model.package(ws, [model], served))

# What has no counterpart says what to do instead
Path("wheel-0.1-py3-none-any.whl").write_bytes(b"PK")
lost = refused(lambda: Environment.add_private_pip_wheel(ws, "wheel-0.1-py3-none-any.whl"))
assert "--extra-index-url" in lost, lost
assert "version='1'" in refused(lambda: Environment.label(ws, "no-image", "1", ["production"]))
assert "There are: workspaceblobstore." in refused(lambda: Datastore(ws, "workspacefilestore"))
aks = AksCompute.provisioning_configuration()
assert "AmlCompute" in refused(lambda: ComputeTarget.create(ws, "kubernetes", aks))
# as that refusal advises
local = AmlCompute.provisioning_configuration(vm_size="STANDARD_LOCAL", max_nodes=1)
ComputeTarget.create(ws, "instead", local).delete()
search = HyperDriveConfig(
    run_config=ScriptRunConfig(".", script="score.py", compute_target="cpu-cluster"),
    hyperparameter_sampling=RandomParameterSampling({"--rate": choice(0.1, 0.2)}),
    primary_metric_name="loss",
    primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
    max_total_runs=2,
)
advice = refused(lambda: Experiment(ws, "search").submit(search))
assert "Submit a ScriptRunConfig" in advice, advice
