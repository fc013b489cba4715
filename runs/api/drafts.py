"""Pipeline drafts and their graphs: create, read, list, replace, clone, delete, publish, run (wire.md 8.7)."""

from django.db.models.lookups import Exact
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.wire import catalogue, fields
from endpoints.wire.entities import pipeline_entity
from runs.api import visible
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.drafts import edit
from runs.drafts import graphs as graph_drafts
from runs.models import GraphDraft, PipelineDraft
from runs.wire import submission
from runs.wire.entities import pipeline_run_entity
from studio.core.db.lookups import JsonText
from studio.core.rest.bodies import MOST_TERMS, Body, at_most, query_text, texts
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, find, wire_time

# The keys of a GraphDraftEntity that are the graph; the others are its interface or metadata.
LISTS = ("ModuleNodes", "DatasetNodes", "Edges")
OBJECTS = ("GraphLayout", "DefaultCompute")


def graph_draft_entity(draft: GraphDraft) -> dict:
    lists: dict[str, list] = {
        "Parameters": [],
        "DataPathParameters": [],
        "DataPathParameterList": [],
    }
    given = {key: value for key, value in draft.interface.items() if value is not None}
    return {
        "ModuleNodes": [],
        "DatasetNodes": [],
        "Edges": [],
        **draft.wire,
        "EntityInterface": lists | given,
        "Id": str(draft.uuid),
        "Etag": str(draft.etag),
        "CreatedDate": wire_time(draft.created_at),
        "LastModifiedDate": wire_time(draft.updated_at),
    }


def pipeline_draft_entity(draft: PipelineDraft) -> dict:
    return {
        "Id": str(draft.uuid),
        "Name": draft.name,
        "Description": draft.description,
        "tags": draft.tags,
        "Properties": draft.properties,
        "PipelineSubmissionInfo": submission.write(edit.shown(draft)),
        "GraphDraftId": str(draft.graph.uuid) if draft.graph else None,
        "ParentPipelineId": _id(draft.parent_pipeline_uuid),
        "ParentPipelineRunId": _id(draft.parent_run_uuid),
        "ParentStepRunIds": draft.parent_step_uuids or None,
        "ParentPipelineDraftId": _id(draft.parent_draft_uuid),
        "LastSubmittedPipelineRunId": _id(draft.last_run_uuid),
        "CreatedBy": {"UserName": draft.created_by or None},
        "LastUpdatedBy": {"UserName": draft.updated_by or None},
        "Etag": str(draft.etag),
        "CreatedDate": wire_time(draft.created_at),
        "LastModifiedDate": wire_time(draft.updated_at),
    }


def _id(uuid) -> str | None:
    return str(uuid) if uuid else None


class GraphDraftView(WireView):
    field_names = fields.FIELD_NAMES | {"interface": "EntityInterface"}

    def draft(self, uuid: str) -> GraphDraft:
        rows = GraphDraft.objects.filter(workspace=self.actor.workspace)
        return find(rows, uuid, "Graph draft")

    def posted(self, body: Body) -> dict:
        wire: dict = {part: body.items(part) for part in LISTS}
        wire |= {part: body.mapping(part) for part in OBJECTS if part in body}
        return {"wire": wire, "interface": body.mapping("EntityInterface")}


class GraphDrafts(GraphDraftView):
    def post(self, request, **scope):
        posted = self.posted(Body(request.data))
        return Response(graph_draft_entity(graph_drafts.create_graph_draft(self.actor, **posted)))


class GraphDraftDetail(GraphDraftView):
    def get(self, request, uuid, **scope):
        return Response(graph_draft_entity(self.draft(uuid)))

    def put(self, request, uuid, **scope):
        body = Body(request.data)
        draft = graph_drafts.update_graph_draft(
            self.actor, self.draft(uuid), etag=body.text("Etag") or None, **self.posted(body)
        )
        return Response(graph_draft_entity(draft))

    def delete(self, request, uuid, **scope):
        """The answer is an empty 200, which the client requires; its body repeats the entity."""
        graph_drafts.delete_graph_draft(self.actor, self.draft(uuid))
        return Response(status=200)


def pipeline_drafts(actor):
    rows = PipelineDraft.objects.filter(workspace=actor.workspace)
    return rows.select_related("graph").order_by("-pk")


class PipelineDraftView(WireView):
    field_names = fields.FIELD_NAMES | submission.NAMES | {"settings": "PipelineSubmissionInfo"}

    def draft(self, uuid: str) -> PipelineDraft:
        return find(pipeline_drafts(self.actor), uuid, "Pipeline draft")

    def posted(self, body: Body) -> dict:
        return {
            "name": body.name("Name"),
            "description": body.text("Description"),
            "tags": body.texts("tags"),
            "properties": body.texts("Properties"),
            "settings": submission.read_stored(body),
        }


class CreatePipelineDraft(PipelineDraftView):
    def post(self, request, **scope):
        body = Body(request.data)
        graphs = GraphDraft.objects.filter(workspace=self.actor.workspace)
        graph = find(graphs, body.text("GraphDraftId", required=True), "Graph draft")
        draft = edit.create_draft(self.actor, graph=graph, **self.posted(body))
        return Response(pipeline_draft_entity(draft))


class PipelineDrafts(PipelineDraftView):
    """Lists drafts by POST: the body holds the tags that a draft must have."""

    def post(self, request, **scope):
        rows = pipeline_drafts(self.actor)
        tags = at_most(MOST_TERMS, texts(Body(request.data).raw, name="tags"), name="tags")
        for key, value in tags.items():
            rows = rows.filter(Exact(JsonText(key, "tags"), value))
        return Response([pipeline_draft_entity(draft) for draft in rows])


class PipelineDraftDetail(PipelineDraftView):
    def get(self, request, uuid, **scope):
        return Response(pipeline_draft_entity(self.draft(uuid)))

    def put(self, request, uuid, **scope):
        body = Body(request.data)
        draft = edit.update_draft(
            self.actor, self.draft(uuid), etag=body.text("Etag") or None, **self.posted(body)
        )
        return Response(pipeline_draft_entity(draft))

    def delete(self, request, uuid, **scope):
        edit.delete_draft(self.actor, self.draft(uuid))
        return Response(status=200)


class CloneDraft(PipelineDraftView):
    """Makes a draft by GET, because the client calls it so."""

    def get(self, request, uuid, **scope):
        return Response(pipeline_draft_entity(edit.clone_draft(self.actor, self.draft(uuid))))


class ClonePublished(WireView):
    """Makes a draft by GET, because the client calls it so."""

    def get(self, request, uuid, **scope):
        pipeline = find(catalogue.pipelines(self.actor), uuid, "Published pipeline")
        return Response(pipeline_draft_entity(edit.clone_pipeline(self.actor, pipeline)))


class PublishDraft(PipelineDraftView):
    """Publishes a draft. The body is the draft's entity, of which only the id is used."""

    def post(self, request, **scope):
        draft = self.draft(Body(request.data).text("Id", required=True))
        return Response(pipeline_entity(edit.publish_draft(self.actor, draft), self.base_url))


class CloneRun(WireView):
    """Makes a draft by GET, because the client calls it so."""

    def get(self, request, uuid, **scope):
        run = visible.find_pipeline_run(self.actor, uuid)
        return Response(pipeline_draft_entity(edit.clone_run(self.actor, run)))


class SubmitDraft(KeyedView, PipelineDraftView):
    """Runs a draft. The body is the draft's entity, of which only the id is used."""

    triggers = "PipelineDraft"

    @extend_schema(parameters=[query("parentRunId"), DOCUMENTED])
    def post(self, request, **scope):
        draft = self.draft(Body(request.data).text("Id", required=True))
        parent = query_text(request.query_params, "parentRunId")
        run = edit.submit_draft(
            self.actor,
            draft,
            parent=visible.find_parent(self.actor, parent),
            key=self.key(draft.uuid),
        )
        return reply(run, pipeline_run_entity(run, self.base_url))
