"""Datasets: saved definitions, registered names and the versions behind them (wire.md 10.1)."""

import re

from django.db.models import OuterRef, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints import services
from endpoints.models import Dataset, DatasetVersion, SavedDataset
from endpoints.wire.datasets import data_version, dataset_dto, saved_dataset_dto
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body, flag_of, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, find, find_by_name


class DatasetView(WireView):
    for_run_tokens = True
    field_names = {"dataset_type": "datasetType"}

    def saved(self):
        return SavedDataset.objects.filter(workspace=self.actor.workspace)

    def versions(self):
        return DatasetVersion.objects.filter(
            dataset__workspace=self.actor.workspace
        ).select_related("dataset", "saved")

    def datasets(self):
        return Dataset.objects.filter(workspace=self.actor.workspace, is_visible=True)

    def version(self, name: str, wanted: str) -> DatasetVersion:
        """The version with the number `wanted`, or the newest one for "" and `latest`."""
        versions = self.versions().filter(dataset__name=name, dataset__is_visible=True)
        versions = versions.order_by("-number")
        if wanted and wanted.lower() != "latest":
            if not re.fullmatch(r"[0-9]{1,9}", wanted):
                raise BadValue(f"versionId must be a number, not {wanted!r}.", target="versionId")
            versions = versions.filter(number=int(wanted))
        version = versions.first()
        if version is None:
            of = f" version {wanted}" if wanted else ""
            raise NotFound(f"Dataset {name!r}{of} not found in workspace.")
        return version


class SavedDatasets(DatasetView):
    def post(self, request, **scope):
        body = Body(request.data)
        saved = services.save_dataset(
            self.actor,
            dataset_type=body.text("datasetType", required=True),
            dataflow=body.text("dataflowJson", required=True),
            properties=body.mapping("properties"),
        )
        return Response(saved_dataset_dto(saved))


class SavedDatasetDetail(DatasetView):
    def get(self, request, uuid, **scope):
        return Response(saved_dataset_dto(find(self.saved(), uuid, "Dataset")))


class DataVersion(DatasetView):
    """Returns the dataflow of a dataset; the SDK asks for it whenever it loads one."""

    def get(self, request, name, version, **scope):
        return Response(
            data_version(find(self.saved(), name.removeprefix("unregistered-"), "Dataset"))
        )


class Datasets(DatasetView):
    @extend_schema(parameters=[query("includeInvisible")])
    def get(self, request, **scope):
        datasets = Dataset.objects.filter(workspace=self.actor.workspace)
        if not flag_of(request.query_params, "includeInvisible", False):
            datasets = datasets.filter(is_visible=True)
        newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
        latest = datasets.annotate(newest=Subquery(newest.values("pk")[:1])).values("newest")
        versions = self.versions().filter(pk__in=latest)
        rows = [dataset_dto(version) for version in versions.order_by("dataset__name")]
        return Response({"value": rows, "continuationToken": None})

    def post(self, request, **scope):
        body = Body(request.data)
        latest = Body(body.mapping("latest"), name="latest")
        version = services.register_dataset(
            self.actor,
            name=body.name("name"),
            description=body.text("description"),
            tags=body.texts("tags"),
            dataset_type=body.text("datasetType", required=True),
            dataflow=latest.text("dataflow", required=True),
            properties=latest.mapping("properties"),
            # The SDK's `create_new_version=True` sets both of these (wire.md 10.1).
            create_new_version=flag_of(request.query_params, "updateDefinitionIfExists", False),
        )
        return Response(dataset_dto(version))


class DatasetDetail(DatasetView):
    """Replaces a dataset by id (`update`, `add_tags`, `remove_tags`), removes one by name
    (`unregister_all_versions`)."""

    for_run_tokens = False

    def put(self, request, key, **scope):
        dataset = find(self.datasets(), key, "Dataset")
        body = Body(request.data)
        if body.get("name") not in (None, dataset.name):
            raise BadValue("A registered dataset keeps its name.", target="name")
        latest = Body(body.mapping("latest"), name="latest")
        version = services.update_dataset(
            self.actor,
            self.version(dataset.name, latest.text("versionId")),
            description=body.text("description") if "description" in body else None,
            tags=body.texts("tags") if "tags" in body else None,
        )
        return Response(dataset_dto(version))

    def delete(self, request, key, **scope):
        services.unregister_dataset(self.actor, find_by_name(self.datasets(), key, "Dataset"))
        return Response({})


class DatasetQuery(DatasetView):
    """Looks up by `query/name=<name>` or `query/savedDatasetId=<id>`: the condition is part of the
    path."""

    @extend_schema(parameters=[query("versionId")])
    def get(self, request, condition, **scope):
        key, found, value = condition.partition("=")
        if key == "name" and found:
            return Response(
                dataset_dto(self.version(value, query_text(request.query_params, "versionId")))
            )
        if key == "savedDatasetId" and found:
            saved = self.saved_or_none(value)
            # For an unregistered dataset the list is empty; the client then asks for the saved
            # dataset.
            visible = self.versions().filter(saved=saved, dataset__is_visible=True)
            versions = visible.order_by("-number")[:1] if saved else []
            rows = [dataset_dto(version) for version in versions]
            return Response({"value": rows, "continuationToken": None})
        raise BadValue(
            f"A dataset is looked up by name=<name> or savedDatasetId=<id>, not by {condition!r}.",
            target="query",
        )

    def saved_or_none(self, uuid: str) -> SavedDataset | None:
        try:
            return find(self.saved(), uuid, "Dataset")
        except NotFound:
            return None
