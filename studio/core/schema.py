"""How wire views appear in the OpenAPI document: entities are plain JSON objects there, described in
words; names of operations follow from the views."""

import re

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

BODIES = {"POST", "PUT", "PATCH"}
# One view may be reached by several addresses; each is an operation of its own.
ADDRESSES = (
    ("/experimentids/{experiment_id}/", "by_experiment_id"),
    ("/experiments/{name}/", "by_experiment"),
    ("/rp/workspaces/", "through_rp"),
    ("/{version}/", "of_version"),
    ("/{tenant}/", "of_tenant"),
    ("/resourceGroups/{group}/", "in_group"),
)


class WireSchema(AutoSchema):
    def get_operation_id(self) -> str:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self.view).__name__).lower()
        parts = [self.method.lower(), words]
        parts += [suffix for address, suffix in ADDRESSES if address in f"{self.path}/"]
        return "_".join(parts)

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2].replace("_", " ")]

    def get_request_serializer(self):
        return OpenApiTypes.OBJECT if self.method in BODIES else None

    def get_response_serializers(self):
        return OpenApiTypes.OBJECT


class StudioAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = "studio.core.authentication.StudioAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A studio token, or the JWT that the token endpoint made from one.",
        }


def tidy(endpoints):
    """Routes as callers write them: without the spellings that patterns also take."""
    return [
        (path.replace("resource[gG]roups", "resourceGroups").rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
    ]


def query(name: str, description: str = "", kind=OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)
