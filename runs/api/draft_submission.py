"""Makes a draft from a run, and a run from a draft (wire.md 8.7)."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from runs.api import visible
from runs.api.drafts import PipelineDraftView, pipeline_draft_entity
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.drafts import edit
from runs.wire.entities import pipeline_run_entity
from studio.core.rest.bodies import Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView


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
            parent=visible.find_run(self.actor, parent) if parent else None,
            key=self.key(draft.uuid),
        )
        return reply(run, pipeline_run_entity(run, self.base_url))
