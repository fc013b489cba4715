"""Datastores (wire.md 10.2): clients read them; only an administrator adds and removes them."""

from rest_framework.response import Response

from endpoints.models import Datastore
from endpoints.wire.datasets import datastore_dto
from studio.core.access import require
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView

NAMED = 20  # datastores that a refusal lists


class DatastoreView(WireView):
    for_run_tokens = True

    def datastores(self):
        return Datastore.objects.filter(workspace=self.actor.workspace).order_by("name")

    def datastore(self, name: str) -> Datastore:
        """The datastore of this name. The 404 lists the others, because scripts for Azure may ask
        for one that every Azure workspace has, such as the file share."""
        found = self.datastores().filter(name=name).first()
        if found is None:
            names = ", ".join(self.datastores().values_list("name", flat=True)[:NAMED])
            raise NotFound(
                f"Datastore {name!r:.100} not found in workspace. There are: {names}. The one to"
                " write to is Workspace.get_default_datastore()."
            )
        return found

    def dto(self, datastore: Datastore) -> dict:
        # A step may write to the workspace's own store only (wire.md 2.3).
        own = not datastore.url
        writable = own if self.actor.run_uuid else self.actor.may("upload")
        return datastore_dto(datastore, self.base_url, by=self.actor, writable=writable)


def not_by_clients(name: str) -> BadValue:
    """The refusal of a client's request to register or change a datastore: accounts and keys of
    Azure mean nothing here."""
    return BadValue(
        f"Datastore {name!r:.100} cannot be registered or changed by a client: an administrator adds"
        " datastores on the studio's /admin/ pages, by the address of their storage. What is there"
        " already: Workspace.datastores; the workspace's own one: Workspace.get_default_datastore().",
        target="name",
    )


class DatastoreList(DatastoreView):
    def get(self, request, **scope):
        rows = [self.dto(datastore) for datastore in self.datastores()]
        return Response({"value": rows, "continuationToken": None})

    def post(self, request, **scope):
        require(self.actor, "register")
        raise not_by_clients(Body(request.data).name("name"))


class DefaultDatastore(DatastoreView):
    def get(self, request, **scope):
        datastore = self.datastores().filter(is_default=True).first()
        if datastore is None:
            raise NotFound("This workspace has no default datastore.")
        return Response(self.dto(datastore))


class DatastoreDetail(DatastoreView):
    def get(self, request, name, **scope):
        return Response(self.dto(self.datastore(name)))

    def put(self, request, name, **scope):
        require(self.actor, "register")
        raise not_by_clients(self.datastore(name).name)

    def delete(self, request, name, **scope):
        require(self.actor, "register")
        found = self.datastore(name)
        raise BadValue(
            f"Datastore {found.name} cannot be removed by a client: what runs and datasets read lies"
            " there. An administrator removes datastores on the studio's /admin/ pages.",
            target="name",
        )


class ChosenDefault(DatastoreView):
    """Refuses `Workspace.set_default_datastore` for any other store: the default is always the
    workspace's own."""

    for_run_tokens = False

    def put(self, request, name, **scope):
        chosen = self.datastore(name)
        if not chosen.is_default:
            raise BadValue(
                f"{name} cannot be the default: steps write to the workspace's own datastore.",
                target="name",
            )
        return Response(self.dto(chosen))
