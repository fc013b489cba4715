"""Model management (wire.md 9.8): assets, which are artifacts under one id, and models made of
them."""

import re

from django.db.models import Q
from django.db.models.lookups import Exact, IsNull
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from runs import services
from runs.api import visible
from runs.models import Asset, RegisteredModel, Run
from runs.tracking import local_uploads
from runs.wire.entities import ORIGIN
from studio.core.db.keyset import paginate
from studio.core.db.lookups import JsonText
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import LONGEST, MOST_TERMS, Body, at_most, flag_of, query_text, texts
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, find, wire_time

LARGEST_PAGE = 255
MOST_ARTIFACTS = 1000  # artifacts of one asset: each is looked up
# Stored as posted, and returned to the client.
DETAILS = (
    *("frameworkVersion", "mimeType", "unpack", "datasets", "parentModelId"),
    *("sampleInputData", "sampleOutputData", "resourceRequirements"),
)

FIELD_NAMES = {"tags": "kvTags", "details": "model"}  # in errors


def asset_dto(asset: Asset) -> dict:
    return {
        "id": str(asset.uuid),
        "name": asset.name,
        "type": None,
        "description": None,
        "artifacts": asset.artifacts,
        "kvTags": asset.tags,
        "properties": asset.properties,
        "runid": str(asset.run.uuid) if asset.run else None,
        "meta": None,
        "createdTime": wire_time(asset.created_at),
    }


def model_dto(model: RegisteredModel) -> dict:
    return {
        "datasets": [],
        **{key: model.details.get(key) for key in DETAILS if model.details.get(key) is not None},
        "id": f"{model.name}:{model.number}",
        "name": model.name,
        "version": model.number,
        "url": f"aml://asset/{model.asset.uuid}",
        "framework": model.framework or None,
        "description": model.description or None,
        "kvTags": model.tags,
        "properties": model.properties,
        "runId": str(model.run.uuid) if model.run else None,
        "experimentName": model.run.experiment.name if model.run else None,
        "derivedModelIds": [],
        "createdTime": wire_time(model.created_at),
        "modifiedTime": wire_time(model.created_at),
        "createdBy": {"userName": model.created_by or None},
    }


class AssetView(WireView):
    for_run_tokens = True
    field_names = FIELD_NAMES

    def assets(self):
        return Asset.objects.filter(workspace=self.actor.workspace).select_related("run")


class Assets(AssetView):
    @extend_schema(parameters=[query("runId"), query("name")])
    def get(self, request, **scope):
        rows = self.assets().order_by("-pk")
        if query_text(request.query_params, "name"):
            rows = rows.filter(name=query_text(request.query_params, "name"))
        if query_text(request.query_params, "runId"):
            run = visible.find_run(self.actor, query_text(request.query_params, "runId"))
            rows = rows.filter(run=run)
        found = [asset_dto(row) for row in rows[:LARGEST_PAGE]]
        return Response({"value": found, "continuationToken": None})

    def post(self, request, **scope):
        body = Body(request.data)
        places = [self.place(row) for row in body.items("artifacts", most=MOST_ARTIFACTS)]
        if len({(origin, container) for origin, container, _ in places}) != 1:
            raise BadValue("An asset is made of artifacts of one run.", target="artifacts")
        origin, container, _ = places[0]
        of_run = origin == ORIGIN
        asset = services.create_asset(
            self.actor,
            name=body.text("name", longest=LONGEST),
            run=visible.find_run(self.actor, container.removeprefix("dcid.")) if of_run else None,
            container=container,
            paths=[path for _, _, path in places],
            tags=body.texts("kvTags"),
            properties=body.texts("properties"),
        )
        return Response(asset_dto(asset))

    def place(self, row) -> tuple[str, str, str]:
        """The origin, container and path that an artifact's prefix, or its id, names."""
        entry = Body(row, name="artifacts")
        text = entry.text("prefix") or entry.text("id")
        origin, _, rest = text.partition("/")
        container, _, path = rest.partition("/")
        if origin not in (ORIGIN, local_uploads.ORIGIN) or not path:
            raise BadValue(
                f'An artifact is named "{ORIGIN}/<container>/<path>", not {text!r:.200}.',
                target="artifacts",
            )
        return origin, container, path.rstrip("/")


class AssetDetail(AssetView):
    def get(self, request, uuid, **scope):
        return Response(asset_dto(find(self.assets(), uuid, "Asset")))


class ModelView(WireView):
    for_run_tokens = True
    field_names = FIELD_NAMES

    def models(self):
        rows = RegisteredModel.objects.filter(workspace=self.actor.workspace)
        return rows.select_related("asset", "run__experiment")

    def model(self, model_id: str) -> RegisteredModel:
        """By `name:version`, or by its name: then the newest."""
        name, _, version = model_id.partition(":")
        rows = self.models().filter(name=name).order_by("-number")
        if version:
            whole = version.isascii() and version.isdigit() and len(version) < 9
            rows = rows.filter(number=int(version)) if whole else rows.none()
        found = rows.first()
        if found is None:
            raise NotFound(f"Model {model_id!r:.300} not found in workspace.")
        return found


class Models(ModelView):
    @extend_schema(
        parameters=[
            *(query("name"), query("runId"), query("framework"), query("latestVersionOnly")),
            *(
                query("datasetId"),
                query("tags"),
                query("properties"),
                query("count"),
                query("$skipToken"),
            ),
        ]
    )
    def get(self, request, **scope):
        asked = {key.lower(): value for key, value in request.query_params.items()}
        rows = self.models()
        for key in ("name", "framework"):
            if asked.get(key):
                rows = rows.filter(**{key: asked[key]})
        if asked.get("datasetid"):
            wanted = re.escape(asked["datasetid"])
            rows = rows.filter(details__datasets__regex=f'"id": ?"{wanted}"')
        if asked.get("runid"):
            rows = rows.filter(run=self.run(asked["runid"]))
        for column in ("tags", "properties"):
            rows = rows.filter(having(column, asked.get(column, "")))
        if flag_of(request.query_params, "latestVersionOnly", False):
            rows = rows.filter(pk__in=newest_of_each(rows))
        size = min(number(asked.get("count"), "count") or LARGEST_PAGE, LARGEST_PAGE)
        page = paginate(rows, before=number(asked.get("$skiptoken"), "$skipToken"), size=size)
        token = str(page.older) if page.older else None
        return Response({"value": [model_dto(row) for row in page], "continuationToken": token})

    def run(self, uuid: str) -> Run:
        return visible.find_run(self.actor, uuid)

    def post(self, request, **scope):
        body = Body(request.data)
        asset_id = body.text("url", required=True).removeprefix("aml://asset/")
        run_id = body.text("runId")
        model = services.register_model(
            self.actor,
            name=body.text("name", required=True),
            asset=find(Asset.objects.filter(workspace=self.actor.workspace), asset_id, "Asset"),
            run=self.run(run_id) if run_id else None,
            description=body.text("description"),
            tags=body.texts("kvTags"),
            properties=body.texts("properties"),
            framework=body.text("framework", longest=LONGEST),
            details=details_of(body),
        )
        return Response(model_dto(model))


def details_of(body: Body) -> dict:
    read = {key: body.get(key) for key in DETAILS if key in body}
    body.items("datasets")
    body.flag("unpack")
    body.mapping("resourceRequirements")
    for key in ("frameworkVersion", "mimeType", "parentModelId", "sampleInputData"):
        body.text(key)
    return read


class ModelDetail(ModelView):
    def get(self, request, model_id, **scope):
        return Response(model_dto(self.model(model_id)))

    def patch(self, request, model_id, **scope):
        """Takes a list of changes: `{"op": "replace" | "add", "path": "/kvTags", "value": …}`."""
        model = self.model(model_id)
        if not isinstance(request.data, list):
            raise BadValue("The body must be a list of changes.", target="body")
        changes: dict = {"details": {}}
        for row in request.data:
            change = Body(row, name="change")
            path = change.text("path", required=True).lstrip("/")
            if path in ("kvTags", "properties"):
                changes["tags" if path == "kvTags" else path] = texts(
                    change.mapping("value"), name=path
                )
            elif path == "description":
                changes[path] = change.text("value")
            elif path in DETAILS:
                changes["details"][path] = change.get("value")
            else:
                raise BadValue(f"The path {path!r:.80} of a model cannot change.", target="path")
        return Response(model_dto(services.edit_model(self.actor, model, **changes)))

    def delete(self, request, model_id, **scope):
        services.delete_model(self.actor, self.model(model_id))
        return Response(status=200)


def having(column: str, text: str) -> Q:
    """`key=value,key`: all pairs must match, and all bare keys must be present."""
    parts = at_most(MOST_TERMS, [part for part in text.split(",") if part], name=column)
    condition = Q()
    for part in parts:
        key, given, value = part.partition("=")
        found = JsonText(key, column)
        condition &= Q(Exact(found, value)) if given else Q(IsNull(found, False))
    return condition


def newest_of_each(rows) -> list[int]:
    newest: dict[str, int] = {}
    for pk, name in rows.order_by("-number").values_list("pk", "name"):
        newest.setdefault(name, pk)
    return list(newest.values())


def number(text: str | None, key: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadValue(f"{key} must be a whole number, not {text[:80]!r}.", target=key)
    return int(text)
