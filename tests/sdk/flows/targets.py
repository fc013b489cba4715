"""A compute target: what is said about it, its nodes, its runs, and how a worker for it is started."""

import io
from contextlib import redirect_stdout
from pathlib import Path

from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

STEPS = str(Path(__file__).parent / "steps")
NAME = "sdk-target"
ws = Workspace.from_config()


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Whoever makes a target is told, on the terminal, what is left to do
try:
    target = ComputeTarget(ws, NAME)
    raise AssertionError("it should not be there yet")
except ComputeTargetException:
    wanted = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    target = ComputeTarget.create(ws, NAME, wanted)
    terminal = io.StringIO()
    with redirect_stdout(terminal):
        target.wait_for_completion(show_output=True)
    print(terminal.getvalue())
    assert f"uv run manage.py worker --queues {NAME}" in terminal.getvalue()
status = target.get_status()
assert status.current_node_count is None and status.errors[0]["code"] == "NoWorker"
assert target.list_nodes() == []

# A run that waits for a worker is an active one
run = Experiment(ws, "targets").submit(
    ScriptRunConfig(STEPS, script="echo.py", compute_target=target)
)
(active,) = target.get_active_runs()
assert active.run_id == run.id
run.cancel()
run.wait_for_completion(show_output=False, raise_on_error=False)
assert list(target.get_active_runs(status="Queued")) == []

# The target that the studio serves itself
served = AmlCompute(ws, "cpu-cluster")
nodes = served.list_nodes()
assert len(nodes) == served.get_status().current_node_count >= 1
assert served.get_status().errors is None
assert {node["nodeState"] for node in nodes} <= {"idle", "running"}
assert len({node["nodeId"] for node in nodes}) == len(nodes)
terminal = io.StringIO()
with redirect_stdout(terminal):
    served.wait_for_completion(show_output=True)
assert "Minimum number of nodes requested have been provisioned" in terminal.getvalue()

# What a client writes down of a target, it reads again
again = AmlCompute.deserialize(ws, served.serialize())
assert (again.name, again.vm_size) == (served.name, served.vm_size)
assert served.get()["properties"]["provisioningState"] == "Succeeded"

# Any size is taken; what is limited is the number of workers alone
sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(ws)}
assert {"STANDARD_D2_V2", "STANDARD_LOCAL"} <= set(sizes)
assert sizes["STANDARD_LOCAL"]["vCPUs"] >= 1
assert AmlCompute.list_usages(ws) == AmlCompute.list_quotas(ws) == []
assert ws.get_default_compute_target("CPU").name == "cpu-cluster"
assert ws.get_default_compute_target("GPU") is None
assert "no identity here" in refused(lambda: target.add_identity("SystemAssigned"))
assert "delete" in refused(target.detach)
target.delete()
assert NAME not in ws.compute_targets
