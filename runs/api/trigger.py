"""The REST trigger: every address that starts a run of a published pipeline or endpoint (wire.md 7)."""

import re

from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from endpoints.models import PipelineEndpoint, PublishedPipeline
from endpoints.wire import catalogue
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.api.visible import find_parent
from runs.models import Run
from runs.submission import (
    EndpointTarget,
    Key,
    PipelineTarget,
    Submission,
    public,
    submit,
)
from runs.submission.target import Published
from runs.wire import submission
from runs.wire.entities import pipeline_run_entity, public_run_entity
from runs.wire.entity_types import PipelineRunEntity, PublicRunEntity
from runs.wire.submission import Trigger
from studio.core.access import Actor
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body, kind_of, query_text
from studio.core.rest.schema import documented, query
from studio.core.rest.views import find, find_by_name
from studio.core.uuids import as_uuid

VERSION = re.compile("[0-9]{1,9}")
PARENT = query("parentRunId", "The run that the new one is shown below")
ENDPOINT_QUERY = [
    PARENT,
    query("pipelineVersion", "The number of a version; without it the default one runs"),
    DOCUMENTED,
]


class CallerOrPublic(BasePermission):
    """Allows a token, or a public endpoint that is addressed by its uuid."""

    def has_permission(self, request, view) -> bool:
        return request.auth is not None or view.public_endpoint is not None


class TriggerView(KeyedView):
    """Reads the body, finds what to run, calls `submit`, returns the run."""

    for_endpoint_tokens = True
    permission_classes = [CallerOrPublic]
    body_limit = 4 * 1024 * 1024  # a trigger holds values and names, no files
    public_endpoint: PipelineEndpoint | None = None
    endpoint: PipelineEndpoint | None = None  # set when it is found

    def trigger(self, actor: Actor, target: Published, key: Key | None) -> Run:
        body = Body(self.request.data)
        parent = query_text(self.request.query_params, "parentRunId") or body.text("ParentRunId")
        if parent and self.public_endpoint is not None:
            raise NotFound("A call without a key starts runs of its own only.")
        above = find_parent(actor, parent)
        settings = submission.read(body)
        return submit(
            actor,
            Submission(
                target,
                settings,
                source=submission.source_of(settings),
                key=key,
                parent=above,
                request=body.raw,
            ),
        )


class SubmitPipeline(TriggerView):
    triggers = "PublishedPipeline"

    @documented(takes=Trigger, gives=PipelineRunEntity, parameters=[PARENT, DOCUMENTED])
    def post(self, request, uuid, **scope):
        pipelines = PublishedPipeline.objects.filter(workspace=self.actor.workspace)
        pipelines = pipelines.select_related("graph").defer("graph__wire", "graph__interface")
        pipeline = find(pipelines, uuid, "Published pipeline")
        run = self.trigger(self.actor, PipelineTarget(pipeline), self.key(pipeline.uuid))
        return reply(run, pipeline_run_entity(run, self.base_url))


class EndpointTriggerView(TriggerView):
    triggers = "PipelineEndpoint"

    def answer(self, endpoint: PipelineEndpoint, suffix: str | None = None) -> Response:
        self.endpoint = endpoint
        version = self.version(suffix)
        key = self.key(endpoint.uuid, version=version)
        target = EndpointTarget(endpoint, version)
        if self.public_endpoint is None:
            run = self.trigger(self.actor, target, key)
            return reply(run, pipeline_run_entity(run, self.base_url))
        run = self.trigger(public.admit(endpoint, key), target, key)
        entity = public_run_entity(run)
        if "ExperimentName" not in Body(self.request.data):
            entity["RunHistoryExperimentName"] = None  # it would reveal the endpoint's name
        return reply(run, entity)

    def version(self, suffix: str | None) -> int | None:
        """The pinned version, from the path or the query; the SDK sends both (wire.md 7)."""
        asked = query_text(self.request.query_params, "pipelineVersion")
        if suffix and asked and suffix != asked:
            raise BadValue(
                f"The path asks for version {suffix} and pipelineVersion for {asked}.",
                target="pipelineVersion",
            )
        text = suffix or asked
        if not text:
            return None
        if not VERSION.fullmatch(text):
            raise BadValue(
                f'pipelineVersion must be a version number such as "0", not {kind_of(text)}.',
                target="pipelineVersion",
            )
        return int(text)

    def asked(self) -> dict:
        """Further columns of the audit row of a refusal."""
        uuid, _ = self.named()
        asked = self.kwargs.get("version") or self.request.query_params.get("pipelineVersion", "")
        return {
            "endpoint_uuid": self.endpoint.uuid if self.endpoint else uuid,
            "asked_version": int(asked) if VERSION.fullmatch(asked) else None,
        }

    def endpoints(self, actor: Actor):
        rows = catalogue.visible_endpoints(actor)
        return rows.select_related(*public.DEFAULT).defer(*public.LARGE)


class PublicTriggerView(EndpointTriggerView):
    """The endpoint is addressed by uuid, so it may be public."""

    def initial(self, request, *args, **kwargs):
        if not request.META.get("HTTP_AUTHORIZATION"):
            self.public_endpoint = public.find_public_endpoint(kwargs["uuid"])
            if self.public_endpoint is not None:
                self.check_scope(self.public_endpoint.workspace)
        super().initial(request, *args, **kwargs)

    def refused_actor(self) -> Actor | None:
        if self.public_endpoint is not None:
            return public.actor_for(self.public_endpoint)
        return super().refused_actor()

    def respond(self, uuid: str, suffix: str | None = None) -> Response:
        endpoint = self.public_endpoint
        if endpoint is None:
            endpoint = find(self.endpoints(self.actor), uuid, "Pipeline endpoint")
        return self.answer(endpoint, suffix)


class SubmitEndpoint(PublicTriggerView):
    @documented(takes=Trigger, gives=PipelineRunEntity | PublicRunEntity, parameters=ENDPOINT_QUERY)
    def post(self, request, uuid, version=None, **scope):
        return self.respond(uuid, version)


class SubmitEndpointByName(EndpointTriggerView):
    @documented(
        takes=Trigger,
        gives=PipelineRunEntity,
        parameters=[query("name", "The exact name of the endpoint"), *ENDPOINT_QUERY],
    )
    def post(self, request, **scope):
        name = query_text(request.query_params, "name")
        if not name:
            raise BadValue("The query needs name=<the endpoint's name>.", target="name")
        endpoint = find_by_name(self.endpoints(self.actor), name, "Pipeline endpoint")
        return self.answer(endpoint)


class SubmitAlias(PublicTriggerView):
    """The short address. The token determines the workspace; public endpoints are addressed by uuid
    only."""

    @documented(takes=Trigger, gives=PipelineRunEntity | PublicRunEntity, parameters=ENDPOINT_QUERY)
    def post(self, request, uuid):
        if self.public_endpoint is not None or as_uuid(uuid):
            return self.respond(uuid)
        endpoint = find_by_name(self.endpoints(self.actor), uuid, "Pipeline endpoint")
        return self.answer(endpoint)
