from _thread import allocate_lock

from azureml._studio import scope as scopes
from azureml._studio.limits import Partial, lend_names
from azureml.exceptions import UserErrorException


class Workspace(Partial):
    """The workspace of the run. A step's token opens no other."""

    def __init__(
        self, subscription_id=None, resource_group=None, workspace_name=None, auth=None, **kwargs
    ):
        scope = scopes.required()
        asked = (subscription_id, resource_group, workspace_name)
        own = (scope.subscription_id, scope.resource_group, scope.workspace_name)
        for want, have in zip(asked, own):
            if want is not None and want.lower() != have.lower():
                raise UserErrorException(
                    "A step reaches only the workspace of its run, '{}'; it asked for '{}'.".format(
                        "/".join(own), "/".join(str(part) for part in asked)
                    )
                )
        self._scope = scope
        self._lock = allocate_lock()
        self._wire_or_none = None

    @classmethod
    def from_config(cls, path=None, auth=None, **kwargs):
        return cls()

    @classmethod
    def get(cls, name, auth=None, subscription_id=None, resource_group=None, **kwargs):
        return cls(subscription_id, resource_group, name)

    @property
    def _wire(self):
        """Made at the first question, since its modules take long to import."""
        from azureml._studio.wire import Wire

        with self._lock:
            if self._wire_or_none is None:
                self._wire_or_none = Wire(self._scope)
        return self._wire_or_none

    @property
    def name(self):
        return self._scope.workspace_name

    @property
    def subscription_id(self):
        return self._scope.subscription_id

    @property
    def resource_group(self):
        return self._scope.resource_group

    @property
    def experiments(self):
        from azureml.core.experiment import Experiment

        reply = self._wire.post("history", "/experiments:query", {}, repeatable=True)
        return {
            item["name"]: Experiment(self, item["name"], item["experimentId"])
            for item in reply["value"]
        }

    @property
    def datasets(self):
        from azureml.core.dataset import Dataset

        return Dataset.get_all(self)

    @property
    def datastores(self):
        from azureml.core.datastore import Datastore

        reply = self._wire.get("datastore", "/datastores")
        return {item["name"]: Datastore._of(self, item) for item in reply["value"]}

    @property
    def models(self):
        """The latest version of every model, by name."""
        from azureml.core.model import Model

        latest = {}
        for model in Model.list(self):
            if model.name not in latest or model.version > latest[model.name].version:
                latest[model.name] = model
        return latest

    def get_run(self, run_id):
        from azureml.core.run import Run

        return Run.get(self, run_id)

    def get_default_datastore(self):
        from azureml.core.datastore import Datastore

        return Datastore.get_default(self)

    def get_default_keyvault(self):
        from azureml.core.keyvault import Keyvault

        return Keyvault(self)

    def __repr__(self):
        return "Workspace.create(name='{}', subscription_id='{}', resource_group='{}')".format(
            self.name, self.subscription_id, self.resource_group
        )


lend_names(__name__)
