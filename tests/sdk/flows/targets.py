"""A compute target: made by a script, it is served; what is said about it, its nodes, its runs."""

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


# Whoever makes a target uses it at once: the studio's own worker serves it
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
    assert "Minimum number of nodes requested have been provisioned" in terminal.getvalue()
status = target.get_status()
assert status.current_node_count >= 1 and status.errors is None
assert len(target.list_nodes()) == status.current_node_count
run = Experiment(ws, "targets").submit(
    ScriptRunConfig(STEPS, script="echo.py", compute_target=target)
)
run.wait_for_completion(show_output=False)
assert run.get_status() == "Completed"

# The runs of a target, of which those that are over are not the running ones
run = Experiment(ws, "targets").submit(
    ScriptRunConfig(STEPS, script="endless.py", compute_target=target)
)
assert run.id in {active.run_id for active in target.get_active_runs()}
run.cancel()
run.wait_for_completion(show_output=False, raise_on_error=False)
assert list(target.get_active_runs(status="Running")) == []
assert list(target.get_active_runs(status="Queued")) == []

# The target that is there from the start
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
