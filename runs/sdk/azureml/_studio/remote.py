"""The methods of `facts.FactWriter` over REST, for runs that the worker does not know."""

import uuid

from azureml._studio import artifacts, facts

EVENTS = {"Running": "Start", "Completed": "Completed", "Failed": "Failed", "Canceled": "Canceled"}


class RemoteWriter(object):
    def __init__(self, wire, experiment_name, run_id):
        self.wire = wire
        self.experiment_name = experiment_name
        self.run_id = run_id
        self._container = None

    @property
    def path(self):
        return "/experiments/{}/runs/{}".format(self.experiment_name, self.run_id)

    @property
    def container(self):
        if self._container is None:
            self._container = self.wire.get("history", self.path)["dataContainerId"]
        return self._container

    def create(self, parent_run_id, name):
        body = {
            "runId": self.run_id,
            "parentRunId": parent_run_id,
            "status": "NotStarted",
            "target": "sdk",
        }
        if name:
            body["name"] = name
        self._container = self.wire.call("PATCH", "history", self.path, body=body).get(
            "dataContainerId"
        )
        self.status("Running")

    def metric(self, rows):
        if not rows:
            return
        at = facts.now()
        values = []
        for row in rows:
            value = {"metricId": str(uuid.uuid4()), "createdUtc": at, "data": row.value}
            if row.step is not None:
                value["step"] = row.step
            values.append(value)
        first = rows[0]
        batch = {
            "name": first.name,
            "columns": first.columns,
            "properties": {"uxMetricType": first.type},
            "value": values,
        }
        self.wire.post(
            "metric",
            "/runs/{}/batch".format(self.run_id),
            {"values": [batch], "reportErrors": True},
        )

    def _patch(self, **fields):
        fields["runId"] = self.run_id
        self.wire.call("PATCH", "history", self.path, body=fields)

    def tags(self, tags):
        self._patch(tags=tags)

    def remove_tags(self, keys):
        self.wire.call("DELETE", "history", self.path + "/tags", body=list(keys))

    def properties(self, properties):
        self._patch(properties=properties)

    def describe(self, kind, value):
        self._patch(**{"displayName" if kind == "display_name" else kind: value})

    def upload(self, path, source):
        artifacts.upload(self.wire, self.container, path, source)

    def status(self, status, message=None, code=None):
        data = {
            "RunId": self.run_id,
            "StartTime" if status == "Running" else "EndTime": facts.now(),
        }
        if message:
            error = {"error": {"code": code or "UserError", "message": message, "details": []}}
            self._event("Error", dict(data, ErrorResponse=error))
        self._event(EVENTS[status], data)

    def _event(self, name, data):
        body = {"name": "Microsoft.MachineLearning.Run." + name, "data": data}
        self.wire.post("history", self.path + "/events", body, repeatable=True)

    def wait_until_applied(self):
        """Every call is answered before it returns."""
