"""Experiments: tags, the archive and who is listed, a run that brings one back, the end of one."""

import json
from pathlib import Path

from azureml.core import Experiment, Run, ScriptRunConfig, Workspace
from azureml.core.experiment import ViewType

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()


def names(**of):
    return {found.name for found in Experiment.list(ws, **of)}


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Tags
experiment = Experiment(ws, "tagged")
assert experiment.identity == "Experiment#tagged"
experiment.set_tags({"team": "a", "stage": "trial"})
experiment.tag("hot")
experiment.tag("stage", "live")
assert experiment.tags == {}, "as it was when it was read"
experiment.refresh()
assert experiment.tags == {"team": "a", "stage": "live", "hot": ""}, experiment.tags
assert names(tags={"team": "a"}) == {"tagged"}
assert names(tags={"team": "a", "stage": "live"}) == {"tagged"}
assert names(tags="hot") == {"tagged"}
assert names(tags={"team": "b"}) == set()
assert names(experiment_name="tagged") == {"tagged"}
experiment.remove_tags(["hot", "never there"])
experiment.refresh()
assert experiment.tags == {"team": "a", "stage": "live"}

# The archive
with experiment.start_logging(snapshot_directory=None) as run:
    run.log("kept", 1)
experiment.archive()
assert experiment.archived_time
assert "tagged" not in names()
assert "tagged" not in ws.experiments
assert names(view_type=ViewType.ArchivedOnly) == {"tagged"}
assert "tagged" in names(view_type=ViewType.All)
assert names(tags={"team": "a"}) == set()
again = Experiment(ws, "tagged")
assert again.archived_time and again.id == experiment.id
assert Run.get(ws, run.id).get_metrics() == {"kept": 1}, "what was run is still there"
again.reactivate()
assert again.archived_time is None
assert "tagged" in names()
assert "rename" in refused(lambda: again.reactivate("other"))

# A run in an archived experiment brings it back
again.archive()
with again.start_logging(snapshot_directory=None):
    pass
again.refresh()
assert again.archived_time is None
again.archive()
script = ScriptRunConfig(STEPS, "echo.py", ["--text", "back"], compute_target="cpu-cluster")
again.submit(script).wait_for_completion()
assert "tagged" in names()

# A folder that belongs to one, as older releases wrote it down
scope = (
    f"/subscriptions/{ws.subscription_id}/resourceGroups/{ws.resource_group}/providers"
    f"/Microsoft.MachineLearningServices/workspaces/{ws.name}/projects/tagged"
)
Path("attached/.azureml").mkdir(parents=True)
Path("attached/.azureml/config.json").write_text(json.dumps({"Id": "tagged", "Scope": scope}))
assert Experiment.from_directory("attached").id == experiment.id

# The end: an empty one only
assert "has runs" in refused(lambda: Experiment.delete(ws, experiment.id))
assert "tagged" in names()
empty = Experiment(ws, "empty")
Experiment.delete(ws, empty.id)
assert "empty" not in names(view_type=ViewType.All)
assert "not found" in refused(lambda: Experiment.delete(ws, empty.id))
