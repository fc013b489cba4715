from azureml._studio.limits import Partial, lend_names


class Experiment(Partial):
    """A name under which runs are gathered."""

    def __init__(self, workspace, name, experiment_id=None):
        self.workspace = workspace
        self.name = name
        self._id = experiment_id

    @property
    def id(self):
        if self._id is None:
            reply = self.workspace._wire.get("history", "/experiments/" + self.name)
            self._id = reply["experimentId"]
        return self._id

    def get_runs(self, type=None, tags=None, properties=None, include_children=False):
        """The experiment's runs, newest first."""
        from azureml.core.run import Run, matches

        body = {"orderby": "StartTimeUtc desc", "top": 500}
        if not include_children:
            body["filter"] = "(ParentRunId eq null)"
        while True:
            path = "/experiments/{}/runs:query".format(self.name)
            page = self.workspace._wire.post("history", path, body, repeatable=True)
            for document in page["value"]:
                if matches(document, type=type, tags=tags, properties=properties):
                    yield Run._of(self, document)
            if not page.get("continuationToken"):
                return
            body["continuationToken"] = page["continuationToken"]

    def __repr__(self):
        return "Experiment(Name: {}, Workspace: {})".format(self.name, self.workspace.name)


lend_names(__name__)
