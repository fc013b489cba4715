"""The run that a script belongs to: what it logs, uploads, tags and reads back."""

import os
from _thread import allocate_lock

from azureml._studio import facts, metrics
from azureml._studio import scope as scopes
from azureml._studio.artifacts import artifact_name
from azureml._studio.limits import Partial, lend_names
from azureml._studio.telling import Teller
from azureml.core.experiment import Experiment
from azureml.core.offline import _OfflineRun
from azureml.core.workspace import Workspace
from azureml.exceptions import RunEnvironmentException

_lock = allocate_lock()
_contexts = {}
_fact_files = {}


def matches(document, type=None, tags=None, properties=None, status=None):
    """Whether a run is of that type and status and has those tags (a name, or a dict)."""
    if type is not None and document.get("runType") != type:
        return False
    if status is not None and document.get("status") != status:
        return False
    for wanted, have in ((tags, document.get("tags")), (properties, document.get("properties"))):
        wanted = {wanted: None} if isinstance(wanted, str) else wanted or {}
        for key in wanted:
            if key not in (have or {}) or wanted[key] not in (None, have[key]):
                return False
    return True


def get_run(experiment, run_id, rehydrate=True, clean_up=True):
    return Run._of(experiment, experiment.workspace._wire.get("history", "/runs/" + run_id))


class Run(Teller, Partial):
    """A run of the studio. The step itself and its parent are told about through files beside the
    step; any other run, such as a child made by the script, over REST."""

    def __init__(self, experiment, run_id, outputs=None, **kwargs):
        self.experiment = experiment
        self.id = run_id
        self._known = None
        self._writer_or_none = None

    @classmethod
    def _of(cls, experiment, document):
        run = Run(experiment, document["runId"])
        run._known = document
        return run

    @classmethod
    def get_context(cls, allow_offline=True, used_for_context_manager=False, **kwargs):
        """The run of this process, the same at every call; outside a run, one that prints."""
        scope = scopes.current()
        if scope is None:
            if allow_offline:
                return _OfflineRun()
            raise RunEnvironmentException(
                "There is no run around this process: {} is not set.".format(
                    ", ".join(scopes.missing())
                )
            )
        with _lock:
            if scope.run_id not in _contexts:
                experiment = Experiment(Workspace(), scope.experiment_name, scope.experiment_id)
                _contexts[scope.run_id] = _SubmittedRun(experiment, scope.run_id)
            return _contexts[scope.run_id]

    @classmethod
    def get_submitted_run(cls, **kwargs):
        return cls.get_context(allow_offline=False, **kwargs)

    @staticmethod
    def get(workspace, run_id):
        document = workspace._wire.get("history", "/runs/" + run_id)
        name = document.get("experimentName") or workspace._scope.experiment_name
        return Run._of(Experiment(workspace, name, document.get("experimentId")), document)

    @staticmethod
    def list(
        experiment, type=None, tags=None, properties=None, status=None, include_children=False
    ):
        runs = experiment.get_runs(type, tags, properties, include_children)
        return (run for run in runs if status is None or run.status == status)

    @property
    def _writer(self):
        if self._writer_or_none is None:
            self._writer_or_none = self._make_writer()
        return self._writer_or_none

    def _make_writer(self):
        scope = self.experiment.workspace._scope
        own = self.id == scope.run_id or self.id == scope.root_run_id
        own = own or (scope.run_id in _contexts and self.id == _contexts[scope.run_id]._seen_parent)
        if own and scope.facts_dir:
            with _lock:
                file = _fact_files.setdefault(scope.facts_dir, facts.FactFile(scope.facts_dir))
            return facts.FactWriter(file, self.id)
        from azureml._studio.remote import RemoteWriter

        return RemoteWriter(self._wire, self.experiment.name, self.id)

    # What the studio knows about the run

    @property
    def _wire(self):
        return self.experiment.workspace._wire

    def _document(self, fresh=False):
        if fresh:
            self._writer.wait_until_applied()
        if fresh or self._known is None:
            self._known = self._wire.get("history", "/runs/" + self.id)
        return self._known

    @property
    def name(self):
        return self._document().get("name")

    @property
    def display_name(self):
        return self._document(fresh=True).get("displayName")

    @display_name.setter
    def display_name(self, display_name):
        self._writer.describe("display_name", str(display_name))

    @property
    def description(self):
        return self._document(fresh=True).get("description")

    @description.setter
    def description(self, description):
        self._writer.describe("description", str(description))

    @property
    def number(self):
        return self._document().get("runNumber")

    @property
    def type(self):
        return self._document().get("runType")

    @property
    def status(self):
        return self.get_status()

    @property
    def tags(self):
        return self.get_tags()

    @property
    def properties(self):
        return self.get_properties()

    @property
    def parent(self):
        parent_id = self._parent_id()
        return Run(self.experiment, parent_id) if parent_id else None

    def _parent_id(self):
        return self._document().get("parentRunId")

    def get_status(self):
        return self._document(fresh=True).get("status")

    def get_tags(self):
        return dict(self._document(fresh=True).get("tags") or {})

    def get_properties(self):
        return dict(self._document(fresh=True).get("properties") or {})

    def get_details(self):
        self._writer.wait_until_applied()
        path = "/experiments/{}/runs/{}/details".format(self.experiment.name, self.id)
        return self._wire.get("history", path)

    def get_portal_url(self):
        """The run's page."""
        return "{}/runs/{}".format(self.experiment.workspace._scope.endpoint, self.id)

    def get_children(self, recursive=False, tags=None, properties=None, type=None, status=None):
        path = "/experiments/{}/runs/{}/children".format(self.experiment.name, self.id)
        query = {"$orderby": "StartTimeUtc desc", "$top": 500}
        while True:
            page = self._wire.get("history", path, **query)
            for document in page["value"]:
                child = Run._of(self.experiment, document)
                if matches(document, type=type, tags=tags, properties=properties, status=status):
                    yield child
                if recursive:
                    for grandchild in child.get_children(True, tags, properties, type, status):
                        yield grandchild
            if not page.get("continuationToken"):
                return
            query["$continuationToken"] = page["continuationToken"]

    def find_step_run(self, name):
        return [child for child in self.get_children() if child.name == name]

    def get_metrics(self, name=None, recursive=False, run_type=None, populate=False):
        """Every metric by name; with `recursive`, by run and name."""
        self._writer.wait_until_applied()
        found = {}
        for key in [name] if name is not None else self._metric_names():
            metric = self._metric(key)
            if metric is not None:
                kind = (metric.get("properties") or {}).get("uxMetricType")
                found[key] = metrics.read_back(kind, metric["columns"], metric["value"])
        if not recursive:
            return found
        trees = [child.get_metrics(name, True) for child in self.get_children(type=run_type)]
        return {
            run_id: tree[run_id]
            for tree in [{self.id: found}] + trees
            for run_id in tree
            if tree[run_id]
        }

    def _metric_names(self):
        body = {}
        while True:
            path = "/runs/{}/list".format(self.id)
            page = self._wire.post("metric", path, body, repeatable=True)
            for item in page["value"]:
                yield item["metricKey"]["name"]
            if not page.get("continuationToken"):
                return
            body = {"continuationToken": page["continuationToken"]}

    def _metric(self, name):
        from azureml.exceptions import ServiceException

        path = "/runs/{}/full".format(self.id)
        try:
            return self._wire.post("metric", path, {"metricName": name}, repeatable=True)
        except ServiceException as error:
            if error.status_code == 404:
                return None
            raise

    def get_secret(self, name):
        return self.experiment.workspace.get_default_keyvault().get_secret(name)

    def get_secrets(self, secrets):
        return self.experiment.workspace.get_default_keyvault().get_secrets(secrets)

    # Files and models

    def get_file_names(self):
        from azureml._studio import artifacts

        self._writer.wait_until_applied()
        return artifacts.artifact_names(self._wire, self._writer.container)

    def download_file(self, name, output_file_path=None):
        from azureml._studio import artifacts

        self._writer.wait_until_applied()
        target = os.path.basename(name) if output_file_path is None else output_file_path
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(name))
        artifacts.download(self._wire, self._writer.container, artifact_name(name), target)

    def download_files(self, prefix=None, output_directory=None, output_paths=None, **kwargs):
        names = [name for name in self.get_file_names() if name.startswith(prefix or "")]
        paths = output_paths or [os.path.join(output_directory or "", name) for name in names]
        for name, path in zip(names, paths):
            self.download_file(name, path)

    def register_model(self, model_name, model_path=None, tags=None, properties=None, **kwargs):
        from azureml.core.model import register_from_run

        return register_from_run(self, model_name, model_path, tags, properties, **kwargs)

    # Child runs

    def child_run(self, name=None, run_id=None, outputs=None):
        import uuid

        from azureml._studio.remote import RemoteWriter

        child = Run(self.experiment, run_id or str(uuid.uuid4()))
        child._writer_or_none = RemoteWriter(self._wire, self.experiment.name, child.id)
        child._writer_or_none.create(self.id, name)
        return child

    def create_children(self, count=None, tag_key=None, tag_values=None):
        from azureml._studio.children import create_children

        name = self.experiment.name
        made = create_children(self._wire, name, self.id, count, tag_key, tag_values)
        return [Run._of(self.experiment, document) for document in made]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is None:
            self.complete()
        else:
            self.fail(error)

    def __repr__(self):
        return "Run(Experiment: {}, Id: {})".format(self.experiment.name, self.id)


class _SubmittedRun(Run):
    """The run of this process. The worker ends it; the script can only say how."""

    _seen_parent = None
    _inputs = None
    _outputs = None

    def _parent_id(self):
        if self._seen_parent is None:
            root = self.experiment.workspace._scope.root_run_id
            if root == self.id:  # a script's run, which is part of nothing
                return None
            self._seen_parent = root or self._document().get("parentRunId")
        return self._seen_parent

    def cancel(self):
        facts.warn("a step cannot cancel itself from its script; fail() or an exit code end it.")

    def __exit__(self, kind, error, traceback):
        """An exception ends the process, which says enough."""

    @property
    def input_datasets(self):
        from azureml.core.inputs import InputDatasets

        if self._inputs is None:
            self._inputs = InputDatasets(self.experiment.workspace)
        return self._inputs

    @property
    def output_datasets(self):
        from azureml.core.inputs import OutputDatasets

        if self._outputs is None:
            self._outputs = OutputDatasets()
        return self._outputs


lend_names(__name__)
