"""The part of the catalogue that an actor may see: its workspace, or only what belongs to the
endpoint or run that its token is limited to."""

from django.db.models import Prefetch, Q

from endpoints.models import (
    Graph,
    Module,
    ModuleVersion,
    NamedModule,
    PipelineEndpoint,
    PublishedPipeline,
)


def visible_endpoints(actor):
    rows = PipelineEndpoint.objects.filter(workspace=actor.workspace)
    if actor.endpoint_uuid is not None:
        rows = rows.filter(uuid=actor.endpoint_uuid)
    return rows


def endpoints(actor):
    rows = visible_endpoints(actor)
    return rows.select_related("workspace", "default_version").prefetch_related(
        "versions__pipeline"
    )


def pipelines(actor):
    rows = PublishedPipeline.objects.filter(workspace=actor.workspace)
    if actor.endpoint_uuid is not None:
        rows = rows.filter(endpoint_versions__endpoint__uuid=actor.endpoint_uuid)
    # The graph is not part of a pipeline's entity, and may be large.
    return rows.select_related("workspace", "graph").defer("graph__wire", "graph__interface")


def graphs(actor):
    rows = Graph.objects.filter(workspace=actor.workspace)
    if actor.endpoint_uuid is not None:
        of_pipeline = Q(pipelines__endpoint_versions__endpoint__uuid=actor.endpoint_uuid)
        of_run = Q(pipeline_runs__run__endpoint__uuid=actor.endpoint_uuid)
        rows = rows.filter(of_pipeline | of_run).distinct()
    return rows


def modules(actor):
    return Module.objects.filter(workspace=actor.workspace)


def named_modules(actor):
    versions = ModuleVersion.objects.select_related("module").only(
        "named_module_id", "version", "module__uuid"
    )
    return (
        NamedModule.objects.filter(workspace=actor.workspace)
        .select_related("default_version")
        .prefetch_related(Prefetch("versions", versions.order_by("pk")))
    )
