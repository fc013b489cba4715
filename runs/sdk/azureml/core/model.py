import os

from azureml._studio import artifacts
from azureml._studio.limits import Partial, lend_names
from azureml.exceptions import (
    ModelNotFoundException,
    ModelPathNotFoundException,
    UserErrorException,
)


class Model(Partial):
    """A registered model: by id (`name:1`), or by name with or without a version."""

    def __init__(self, workspace, name=None, id=None, tags=None, version=None, **kwargs):
        if id is None and name is None:
            raise UserErrorException("A model is found by its name or by its id.")
        self.workspace = workspace
        self._take(_find(workspace, name, id, version))

    @classmethod
    def _of(cls, workspace, document):
        model = object.__new__(cls)
        model.workspace = workspace
        model._take(document)
        return model

    def _take(self, document):
        self.id = document["id"]
        self.name = document["name"]
        self.version = int(document["version"])
        self.url = document.get("url")
        self.description = document.get("description")
        self.tags = document.get("kvTags") or {}
        self.properties = document.get("properties") or {}
        self.run_id = document.get("runId")
        self.experiment_name = document.get("experimentName")
        self.model_framework = document.get("framework")

    @staticmethod
    def list(workspace, name=None, latest=False, **kwargs):
        query = {"name": name} if name else {}
        models = []
        while True:
            page = workspace._wire.get("modelmanagement", "/models", **query)
            models.extend(Model._of(workspace, document) for document in page["value"])
            token = page.get("continuationToken")
            if not token:
                break
            query["$skipToken"] = token
        models.sort(key=lambda model: (model.name, -model.version))
        if not latest:
            return models
        return [
            model
            for number, model in enumerate(models)
            if model.name not in _names(models[:number])
        ]

    @staticmethod
    def register(workspace, model_path, model_name, tags=None, properties=None, **kwargs):
        """Register a local file or folder, which becomes part of the run that does it."""
        from azureml.core.run import Run

        if not os.path.exists(model_path):
            raise ModelPathNotFoundException("The model '{}' does not exist.".format(model_path))
        run = Run.get_context(allow_offline=False)
        prefix = "models/{}/{}".format(model_name, os.path.basename(os.path.abspath(model_path)))
        if os.path.isdir(model_path):
            run.upload_folder(prefix, model_path)
        else:
            run.upload_file(prefix, model_path)
        return register_from_run(run, model_name, prefix, tags, properties, **kwargs)

    @staticmethod
    def get_model_path(model_name, version=None, _workspace=None):
        """A local copy of the model, below `azureml-models` of the current folder."""
        from azureml.core.workspace import Workspace

        model = Model(_workspace or Workspace(), name=model_name, version=version)
        return model.download(
            os.path.join("azureml-models", model.name, str(model.version)), exist_ok=True
        )

    def download(self, target_dir=".", exist_ok=False, exists_ok=None):
        """Returns the path of the model's file or folder."""
        wire = self.workspace._wire
        asset = wire.get("modelmanagement", "/assets/" + self.url.rpartition("/")[2])
        path = None
        for item in asset["artifacts"]:
            origin, container, prefix = item["prefix"].split("/", 2)
            path = os.path.join(target_dir, os.path.basename(prefix))
            if os.path.exists(path) and not (exist_ok or exists_ok):
                raise UserErrorException("'{}' exists; exist_ok=True replaces it.".format(path))
            for name, url in artifacts.below(wire, container, prefix, origin):
                inner = name[len(prefix) :].lstrip("/")
                artifacts.fetch(wire, url, os.path.join(path, *inner.split("/")) if inner else path)
        return path

    def __repr__(self):
        return "Model(name={!r}, id={!r}, version={!r})".format(self.name, self.id, self.version)


def _names(models):
    return {model.name for model in models}


def _find(workspace, name, id, version):
    if id is not None or version is not None:
        model_id = id or "{}:{}".format(name, version)
        document = workspace._wire.find("modelmanagement", "/models/" + model_id)
        if document is None:
            raise ModelNotFoundException("Model '{}' not found in workspace.".format(model_id))
        return document
    page = workspace._wire.get("modelmanagement", "/models", name=name)
    found = [document for document in page["value"] if document["name"] == name]
    if not found:
        raise ModelNotFoundException("Model '{}' not found in workspace.".format(name))
    return max(found, key=lambda document: int(document["version"]))


def register_from_run(
    run,
    model_name,
    model_path=None,
    tags=None,
    properties=None,
    model_framework=None,
    model_framework_version=None,
    description=None,
    **kwargs,
):
    """A model made of files that were uploaded to the run before."""
    path = artifacts.artifact_name(model_path or model_name)
    writer, wire = run._writer, run._wire
    writer.wait_until_applied()
    if not artifacts.below(wire, writer.container, path):
        raise ModelPathNotFoundException(
            "The run has no file '{}' to make a model of; upload it first with upload_file or"
            " upload_folder. The run has: {}".format(
                path, ", ".join(artifacts.artifact_names(wire, writer.container)) or "none"
            )
        )
    prefix = "{}/{}/{}".format(artifacts.ORIGIN, writer.container, path)
    asset = {"name": model_name, "artifacts": [{"prefix": prefix}], "runid": run.id}
    asset = wire.post("modelmanagement", "/assets", asset, repeatable=True)
    model = {
        "name": model_name,
        "url": "aml://asset/" + asset["id"],
        "mimeType": "application/x-python",
        "kvTags": tags or {},
        "properties": properties or {},
        "description": description,
        "framework": model_framework,
        "frameworkVersion": model_framework_version,
        "experimentName": run.experiment.name,
        "runId": run.id,
    }
    return Model._of(run.experiment.workspace, wire.post("modelmanagement", "/models", model))


_HOMES = {"Dataset": "azureml.core.dataset"}  # which scripts import from here, too
lend_names(__name__)
