"""Many child runs in two calls: made, then started."""

import uuid

from azureml._studio import facts
from azureml.exceptions import UserErrorException

MOST = 100


def create_children(wire, experiment_name, parent_id, count, tag_key, tag_values):
    """The documents of the new runs, in the order of the tags' values."""
    if count is not None and (tag_key is not None or tag_values is not None):
        raise UserErrorException("count can not be set when tag_key and tag_values are set")
    if count is None and (tag_key is None or tag_values is None):
        raise UserErrorException("Either count or tag_key and tag_values must be set")
    if count is not None:
        tag_key, tag_values = "azureml.batch_child_number", range(count)
    if len(tag_values) > MOST:
        raise UserErrorException("create_children can not create more than 100 runs")
    rows = [
        {
            "runId": str(uuid.uuid4()),
            "parentRunId": parent_id,
            "status": "NotStarted",
            "target": "sdk",
            "tags": {str(tag_key): str(value)},
        }
        for value in tag_values
    ]
    path = "/experiments/{}/batch/".format(experiment_name)
    made = wire.call("PATCH", "history", path + "runs", body={"runs": rows})["runs"]
    started = [
        {
            "name": "Microsoft.MachineLearning.Run.Start",
            "data": {"RunId": row["runId"], "StartTime": facts.now()},
        }
        for row in rows
    ]
    wire.post("history", path + "events", {"events": started}, repeatable=True)
    return [made[row["runId"]] for row in rows]
