"""Data sources: the plain references into datastores behind `DataReference` inputs (wire.md 8.7)."""

from rest_framework.response import Response

from endpoints import data, services
from endpoints.models import DataSource, Datastore
from endpoints.wire.datasets import data_source_entity
from endpoints.wire.fields import FIELD_NAMES
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import LONGEST, Body
from studio.core.rest.views import WireView, find

# Sources that no datastore here can serve. They are refused by name, since a step would find
# nothing there.
OF_DATABASES = ("SqlTableName", "SqlQuery", "SqlStoredProcedureName")


class DataSourceView(WireView):
    def sources(self):
        rows = DataSource.objects.filter(workspace=self.actor.workspace)
        return rows.select_related("datastore")


class DataSources(DataSourceView):
    field_names = FIELD_NAMES | {"relative_path": "PathOnDataStore", "wire": "DataSource"}

    def post(self, request, **scope):
        body = Body(request.data)
        for key in OF_DATABASES:
            if key in body:
                raise BadValue(f"{key}: datastores here hold files, not databases.", target=key)
        name = body.text("DataStoreName", required=True)
        store = Datastore.objects.filter(workspace=self.actor.workspace, name=name).first()
        if store is None:
            raise BadValue(
                f"Datastore {name!r:.80} not found in workspace.", target="DataStoreName"
            )
        source = services.create_data_source(
            self.actor,
            name=body.text("Name", longest=LONGEST),
            datastore=store,
            relative_path=data.resolve(store, body.text("PathOnDataStore")).path,
            identifier_hash=body.text("IdentifierHash", longest=200),
            wire=body.raw,
        )
        return Response(data_source_entity(source))


class DataSourceDetail(DataSourceView):
    def get(self, request, uuid, **scope):
        return Response(data_source_entity(find(self.sources(), uuid, "Data source")))


class DataSourceByHash(DataSourceView):
    """Finds a data source by its fingerprint; after a 404 the client posts it."""

    def get(self, request, fingerprint, **scope):
        newest = self.sources().filter(identifier_hash=fingerprint).order_by("-pk").first()
        if newest is None:
            raise NotFound(f"There is no data source with the fingerprint {fingerprint}.")
        return Response(data_source_entity(newest))
