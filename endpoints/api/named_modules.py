"""Modules with a name and versions: what the SDK calls Module and ModuleVersion (wire.md 8.7)."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints import services
from endpoints.api.graphs import module_of
from endpoints.models import ModuleStatus, ModuleVersion, NamedModule
from endpoints.wire import catalogue
from endpoints.wire.entities import module_with_interface
from endpoints.wire.fields import FIELD_NAMES
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body, kind_of, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, find, wire_time


def named_module_entity(named: NamedModule) -> dict:
    default = named.default_version
    return {
        "Id": str(named.uuid),
        "Name": named.name,
        "Description": named.description,
        "DefaultVersion": default.version if default else None,
        "Versions": [
            {"ModuleVersionId": str(row.uuid), "Version": row.version}
            for row in named.versions.all()
        ],
        "Hash": None,
        "EntityStatus": named.status,
        "Etag": str(named.etag),
        "CreatedDate": wire_time(named.created_at),
        "LastModifiedDate": wire_time(named.updated_at),
    }


def module_version_entity(version: ModuleVersion) -> dict:
    """A module (wire.md 8.4) with the description, tags and status of this version."""
    entity = module_with_interface(version.module)
    about = {
        "Description": version.description,
        "Category": version.category or None,
        "tags": version.tags,
        "EntityStatus": version.status,
        "Etag": str(version.etag),
        "LastModifiedDate": wire_time(version.updated_at),
    }
    return {
        "ModuleId": str(version.named_module.uuid),
        "Data": entity["Data"] | about,
        "Interface": entity["Interface"],
    }


def module_status(body: Body) -> ModuleStatus | None:
    """The EntityStatus of the body, as a word or a number (wire.md 3.6); None without the key."""
    known = {status.lower(): status for status in ModuleStatus}
    known |= {"0": ModuleStatus.ACTIVE, "1": ModuleStatus.DEPRECATED, "2": ModuleStatus.DISABLED}
    word = body.get("EntityStatus")
    if word is None:
        return None
    status = known.get(str(word).lower()) if isinstance(word, str | int) else None
    if status is None:
        raise BadValue(
            f'EntityStatus must be "Active", "Deprecated" or "Disabled", not {kind_of(word)}.',
            target="EntityStatus",
        )
    return status


def given(body: Body, key: str) -> str | None:
    """A text of the body, or None if the key is absent."""
    return body.text(key) if key in body else None


class CreateNamedModule(WireView):
    field_names = FIELD_NAMES

    def post(self, request, **scope):
        body = Body(request.data)
        named = services.create_named_module(
            self.actor, name=body.name("Name"), description=body.text("Description")
        )
        return Response(named_module_entity(named))


class NamedModuleByName(WireView):
    @extend_schema(parameters=[query("name")])
    def get(self, request, **scope):
        name = query_text(request.query_params, "name")
        if not name:
            raise BadValue("The query needs name=<the module's name>.", target="name")
        named = catalogue.named_modules(self.actor).filter(name=name).first()
        if named is None:
            raise NotFound(f"Module {name!r:.300} not found in workspace.")
        return Response(named_module_entity(named))


class NamedModuleDetail(WireView):
    field_names = FIELD_NAMES | {"versions": "Versions"}

    def get(self, request, uuid, **scope):
        named = find(catalogue.named_modules(self.actor), uuid, "Module")
        return Response(named_module_entity(named))

    def put(self, request, uuid, **scope):
        named = find(catalogue.named_modules(self.actor), uuid, "Module")
        body = Body(request.data)
        services.update_named_module(
            self.actor,
            named,
            etag=body.text("Etag") or None,
            name=body.name("Name") if "Name" in body else None,
            description=given(body, "Description"),
            status=module_status(body),
            versions=self.versions(body),
            default_version=given(body, "DefaultVersion"),
        )
        fresh = catalogue.named_modules(self.actor).get(pk=named.pk)
        return Response(named_module_entity(fresh))

    def versions(self, body: Body) -> dict[str, str | None]:
        rows = [Body(row, name="Versions") for row in body.items("Versions")]
        return {
            row.text("ModuleVersionId", required=True).lower(): given(row, "Version")
            for row in rows
        }


class CreateModuleVersion(WireView):
    field_names = FIELD_NAMES | {"tags": "KvTags"}

    def post(self, request, **scope):
        body = Body(request.data)
        named = find(
            catalogue.named_modules(self.actor), body.text("AmlModuleId", required=True), "Module"
        )
        version = services.publish_module_version(
            self.actor,
            named,
            version=body.text("Version", longest=100),
            set_default=body.flag("SetAsDefaultVersion", False),
            category=body.text("Category", longest=255),
            tags=body.texts("KvTags"),
            **module_of(body),
        )
        return Response(module_version_entity(version))


class ModuleVersionDetail(WireView):
    """Reads and updates a version by the id of its module, which is what graphs refer to."""

    field_names = FIELD_NAMES

    def get(self, request, uuid, **scope):
        return Response(module_version_entity(self.version(uuid)))

    def put(self, request, uuid, **scope):
        version = self.version(uuid)
        data = Body(Body(request.data).mapping("Data"), name="Data")
        services.update_module_version(
            self.actor,
            version,
            etag=data.text("Etag") or None,
            description=given(data, "Description"),
            status=module_status(data),
        )
        return Response(module_version_entity(version))

    def version(self, uuid: str) -> ModuleVersion:
        module = find(
            catalogue.modules(self.actor)
            .filter(named_version__isnull=False)
            .select_related("named_version__named_module"),
            uuid,
            "Module version",
        )
        return module.named_version
