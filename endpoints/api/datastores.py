"""Datastores, read (wire 10.2)."""

from rest_framework.response import Response

from endpoints.api.data_entities import datastore_dto
from endpoints.models import Datastore
from studio.core.errors import NotFound
from studio.core.rest import WireView, find_by_name


class DatastoreView(WireView):
    for_run_tokens = True

    def datastores(self):
        return Datastore.objects.filter(workspace=self.actor.workspace).order_by("name")

    def dto(self, datastore: Datastore) -> dict:
        # A step writes to the workspace's own store alone (design section 5).
        own = not datastore.url
        writable = own if self.actor.run_uuid else self.actor.may("track")
        return datastore_dto(datastore, self.base_url, by=self.actor, writable=writable)


class DatastoreList(DatastoreView):
    def get(self, request, **scope):
        rows = [self.dto(datastore) for datastore in self.datastores()]
        return Response({"value": rows, "continuationToken": None})


class DefaultDatastore(DatastoreView):
    def get(self, request, **scope):
        datastore = self.datastores().filter(is_default=True).first()
        if datastore is None:
            raise NotFound("This workspace has no default datastore.")
        return Response(self.dto(datastore))


class DatastoreDetail(DatastoreView):
    def get(self, request, name, **scope):
        return Response(self.dto(find_by_name(self.datastores(), name, "Datastore")))
