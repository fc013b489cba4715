"""Environments: register, read by version or label, list (wire.md 9.6)."""

from django.db.models import OuterRef, Subquery
from rest_framework.response import Response

from endpoints import services
from endpoints.models import Environment, EnvironmentVersion
from endpoints.services.environments import is_number
from endpoints.wire.entities import environment_definition
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView

CURATED = ("azureml-", "microsoft-")
PARTS = ("python", "environmentVariables", "docker", "spark", "r")


class EnvironmentView(WireView):
    for_run_tokens = True

    def versions(self):
        """All versions of the workspace, newest first."""
        rows = EnvironmentVersion.objects.filter(environment__workspace=self.actor.workspace)
        return rows.select_related("environment").order_by("environment__name", "-number")


class EnvironmentList(EnvironmentView):
    def get(self, request, **scope):
        newest = EnvironmentVersion.objects.filter(environment=OuterRef("pk")).order_by("-number")
        environments = Environment.objects.filter(workspace=self.actor.workspace)
        latest = environments.annotate(newest=Subquery(newest.values("pk")[:1])).values("newest")
        versions = self.versions().filter(pk__in=latest)
        rows = [environment_definition(version) for version in versions]
        return Response({"value": rows, "continuationToken": None})


class EnvironmentDetail(EnvironmentView):
    """Returns a version by its number, or the newest one for no version and for `latest`."""

    field_names = {"name": "Name"}

    def get(self, request, name, version="", label="latest", **scope):
        rows = self.versions().filter(environment__name=name)
        if version:
            rows = rows.filter(number=int(version)) if is_number(version) else rows.none()
        found = rows.first() if label.lower() == "latest" else None
        if found is None:
            which = f" version {version}" if version else ""
            which = which or (f" with the label {label!r}" if label != "latest" else "")
            raise NotFound(
                f"Environment {name!r}{which} not found in workspace.{self.instead(name)}"
            )
        return Response(environment_definition(found))

    def instead(self, name: str) -> str:
        """What the 404 adds: the newest version, or what to do about one of Azure's curated
        environments."""
        newest = self.versions().filter(environment__name=name).first()
        if newest is not None:
            return f" Its newest version is {newest.number}."
        if not name.lower().startswith(CURATED):
            return ""
        return (
            " Azure's curated environments are not part of this studio. Register one of that name"
            " once, with the packages that its steps need, and scripts find it:"
            f" Environment.from_pip_requirements({name!r}, 'requirements.txt').register(ws)."
        )

    def put(self, request, name, version="", **scope):
        body = Body(request.data)
        if "/" in body.text("Name"):  # the address loses a slash at the end of a name
            raise BadValue("The name of an environment has no slashes.", target="Name")
        definition: dict = {part: body.mapping(part) or None for part in PARTS}
        definition["inferencingStackVersion"] = body.text("inferencingStackVersion") or None
        registered = services.register_environment(
            self.actor, name=name, version=version, definition=definition
        )
        return Response(environment_definition(registered))


class EnvironmentByVersion(EnvironmentDetail):
    """The same at a version's address; a class of its own, so that its operations have their own
    names in the OpenAPI document."""


class EnvironmentByLabel(EnvironmentDetail):
    """The same at a label's address."""


class EnvironmentLabels(EnvironmentView):
    """Refuses `Environment.label`: no label but `latest` is kept."""

    def put(self, request, name, version, **scope):
        raise BadValue(
            "Environments have no labels here but 'latest', which is always the newest version. Ask for"
            f" the version itself: Environment.get(ws, {name!r}, version={version!r}).",
            target="Labels",
        )
