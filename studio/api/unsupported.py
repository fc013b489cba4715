"""Azure services that have no counterpart here: their lists are empty, everything else is a refusal
that says what to do instead."""

from urllib.parse import quote

from rest_framework.response import Response

from endpoints.models import EnvironmentVersion
from endpoints.services.environments import is_number
from runs.wire.entities import LOGS
from studio.api.containers import IMAGE_LOG, IMAGE_LOG_TEXT
from studio.core.access import require
from studio.core.errors import NotFound, Refused
from studio.core.rest.views import WireView
from studio.storage import links


class Beyond(WireView):
    """Lists are empty, and nothing can be created."""

    instead = ""

    def get(self, request, **scope):
        return Response({"value": []})

    def post(self, request, **scope):
        raise Refused(self.instead, status=400)

    put = post


class Deployments(Beyond):
    """`Model.deploy`, `package` and `profile`; `Workspace.webservices` and `images`."""

    instead = (
        "Models are not deployed from here. Take its files, by Model.download or by"
        " Model.get_model_path in a step, and serve them by a program of your own."
    )


class Searches(WireView):
    """`Experiment.submit` of a HyperDriveConfig or an AutoMLConfig. Their clients show `code` and
    `message` of the body, which are added to the studio's own error."""

    def handle_exception(self, exc):
        reply = super().handle_exception(exc)
        message = reply.data["error"]["message"]
        reply.data |= {"code": reply.status_code, "message": message}
        return reply

    def post(self, request, rest, **scope):
        raise Refused(
            "No service searches for models here. Submit a ScriptRunConfig, or a pipeline with"
            " parameters, for each set of values; Run.create_children groups the runs of one script.",
            status=400,
        )


class LinkedServices(Beyond):
    instead = (
        "A workspace is linked with nothing here. Keep an address and a password as secrets, by"
        " ws.get_default_keyvault().set_secret, and read them in the step."
    )


class Connections(LinkedServices):
    """`Workspace.list_connections`, which reads a bare list."""

    def get(self, request, **scope):
        return Response([])


class Connection(LinkedServices):
    def get(self, request, name, **scope):
        raise NotFound(f"There is no connection {name!r:.120}.")

    delete = get


class EnvironmentBuild(WireView):
    """`Environment.build`: workers build environments, so a build has succeeded as soon as it is
    asked for."""

    def require_registered(self, name: str, version: str) -> None:
        rows = EnvironmentVersion.objects.filter(
            environment__workspace=self.actor.workspace, environment__name=name
        )
        if not (is_number(version) and rows.filter(number=int(version)).exists()):
            raise NotFound(f"Environment {name!r} version {version} not found in workspace.")

    def get(self, request, name, version, **scope):
        self.require_registered(name, version)
        log = links.signed(
            self.base_url, LOGS, f"{self.actor.workspace.uuid}/{IMAGE_LOG}", by=self.actor
        )
        return Response({"status": "Succeeded", "logUrl": log})


class Images(EnvironmentBuild):
    """Starts such a build, on a compute target or not; and refuses `get_image_details`."""

    def get(self, request, **scope):
        raise Refused(IMAGE_LOG_TEXT, status=400)

    def post(self, request, name, version, **scope):
        require(self.actor, "register")
        self.require_registered(name, version)
        place = f"environments/{quote(name, safe='')}/versions/{version}/build"
        scope_of = self.actor.workspace.scope
        return Response(
            {"location": f"{self.base_url}/environment/v2.0{scope_of}/{place}"}, status=202
        )


class StorageKeys(WireView):
    """`Workspace.sync_keys`: the storage is the studio's own, so there is nothing to
    synchronise."""

    def post(self, request, **scope):
        return Response(status=200)
