"""Which run this process belongs to, as its environment says."""

import os

REQUIRED = (
    "AZUREML_RUN_ID",
    "AZUREML_RUN_TOKEN",
    "AZUREML_ARM_SUBSCRIPTION",
    "AZUREML_ARM_RESOURCEGROUP",
    "AZUREML_ARM_WORKSPACE_NAME",
    "AZUREML_ARM_PROJECT_NAME",
    "AZUREML_SERVICE_ENDPOINT",
)


class Scope(object):
    def __init__(self, environ):
        self.run_id = environ["AZUREML_RUN_ID"]
        self.token = environ["AZUREML_RUN_TOKEN"]
        self.subscription_id = environ["AZUREML_ARM_SUBSCRIPTION"]
        self.resource_group = environ["AZUREML_ARM_RESOURCEGROUP"]
        self.workspace_name = environ["AZUREML_ARM_WORKSPACE_NAME"]
        self.experiment_name = environ["AZUREML_ARM_PROJECT_NAME"]
        self.endpoint = environ["AZUREML_SERVICE_ENDPOINT"].rstrip("/")
        self.workspace_id = environ.get("AZUREML_WORKSPACE_ID")
        self.experiment_id = environ.get("AZUREML_EXPERIMENT_ID")
        self.root_run_id = environ.get("AZUREML_ROOT_RUN_ID")
        self.facts_dir = environ.get("STUDIO_FACTS_DIR")

    @property
    def workspace_path(self):
        return (
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"
        ).format(self.subscription_id, self.resource_group, self.workspace_name)


def missing():
    return [name for name in REQUIRED if not os.environ.get(name)]


def current():
    """The scope of this process, or None outside a step."""
    return None if missing() else Scope(os.environ)


def required():
    scope = current()
    if scope is None:
        from azureml.exceptions import RunEnvironmentException

        raise RunEnvironmentException(
            "This process is not a step of a run: {} is not set.".format(", ".join(missing()))
        )
    return scope
