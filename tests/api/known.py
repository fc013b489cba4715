"""One row of every kind, all under one id and one name, so that an address can be written down
before its row is there."""

import io
import json
from uuid import UUID

from django.apps import apps
from django.utils import timezone

from endpoints.models import Module, ModuleVersion, NamedModule
from runs import services
from runs.models import Run, Schedule
from runs.submission import RunSettings
from studio.core.access import Actor
from tests import factories

ID = "5b1d5bb0-0000-4000-8000-000000000000"
NAME = "known"
PATH = "outputs/a.txt"
DATAFLOW = json.dumps({"meta": {"RsDataflow": "paths:\n- file: https://host.test/a.csv\n"}})
LR = {"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}


def make(api, actor: Actor) -> Run:
    """The rows, in the workspace of `api`; the run, which has steps and an artifact."""
    workspace = actor.workspace
    pipeline = factories.pipeline(
        workspace, NAME, steps=("one", "two"), edges=[("one", "two")], parameters=[LR]
    )
    endpoint = factories.endpoint(workspace, NAME, pipelines=[pipeline])
    run = factories.run(actor, experiment=NAME, pipeline=pipeline)
    Schedule.objects.create(
        workspace=workspace,
        name=NAME,
        endpoint=endpoint,
        trigger="Recurrence",
        recurrence={"frequency": "Day", "interval": 1},
        time_zone="UTC",
        starts_at=timezone.now(),
        settings=RunSettings(NAME).as_json(),
    )
    named = NamedModule.objects.create(workspace=workspace, name=NAME)
    module = Module.objects.order_by("pk").first()
    ModuleVersion.objects.create(named_module=named, module=module, version="1")
    take_the_id()
    run = Run.objects.get(pk=run.pk)
    services.keep_artifact(actor, run, path=PATH, stream=io.BytesIO(b"text"))
    for method, path, body in WRITTEN:
        reply = api.call(method, path.format(W=workspace.scope), body)
        assert reply.status == 200, (path, reply.body)
        take_the_id()
    return run


# What a client makes in one call.
WRITTEN = [
    (
        "POST",
        "/dataset/v1.0{W}/datasets",
        {"name": NAME, "datasetType": "file", "latest": {"dataflow": DATAFLOW}},
    ),
    (
        "POST",
        "/pipelines/v1.0{W}/DataSources",
        {"Name": NAME, "DataStoreName": "workspaceblobstore", "PathOnDataStore": "a"},
    ),
    ("PUT", f"/environment/v1.0{{W}}/environments/{NAME}", {"Name": NAME, "python": {}}),
    ("PUT", "/credential/v2.0{W}/secrets", {"name": NAME, "value": "v"}),
    (
        "POST",
        f"/content/v2.0{{W}}/snapshots/{ID}",
        {"DirTreeNode": {"name": "", "type": "Directory", "children": {}}},
    ),
    ("POST", "/pipelines/v1.0{W}/GraphDrafts", {"EntityInterface": {"Parameters": [LR]}}),
    (
        "POST",
        "/pipelines/v1.0{W}/PipelineDrafts/Create",
        {"Name": NAME, "GraphDraftId": ID, "PipelineSubmissionInfo": {"ExperimentName": NAME}},
    ),
    (
        "POST",
        f"/metric/v2.0{{W}}/runs/{ID}/batch",
        {"values": [{"name": NAME, "columns": {NAME: "double"}, "value": [{"data": {NAME: 1}}]}]},
    ),
    (
        "POST",
        "/modelmanagement/v1.0{W}/assets",
        {"name": NAME, "artifacts": [{"prefix": f"ExperimentRun/dcid.{ID}/outputs"}]},
    ),
    (
        "POST",
        "/modelmanagement/v1.0{W}/models",
        {"name": NAME, "url": f"aml://asset/{ID}", "runId": ID},
    ),
]


def take_the_id():
    """Give the first row of each model the known id."""
    for label in ("endpoints", "runs"):
        for model in apps.get_app_config(label).get_models():
            if any(field.name == "uuid" for field in model._meta.fields):
                first = model.objects.order_by("pk").first()
                if first is not None:
                    model.objects.filter(pk=first.pk).update(uuid=UUID(ID))
