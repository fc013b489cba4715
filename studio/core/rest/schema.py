"""How wire views appear in the OpenAPI document: entities are plain JSON objects, described in
words; operations are named after the views."""

import inspect
import re

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

BODIES = {"POST", "PUT", "PATCH"}
SCOPE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)
# One view may have several addresses; each is an operation of its own.
ADDRESSES = (
    ("/experimentids/{experiment_id}/", "by_experiment_id"),
    ("/experiments/{name}/", "by_experiment"),
    ("/rp/workspaces/", "through_rp"),
    ("/{version}/", "of_version"),
    ("/{tenant}/", "of_tenant"),
    ("/{prefix}/", "below_prefix"),
    ("/{rest}/", "below"),
    ("/content/v1.0/", "v1"),
    ("/environment/v1.0/", "v1"),
    ("/images/", "images"),
    ("/imageoncompute/", "on_compute"),
    ("/jasmine/", "jasmine"),
    ("/packages/", "packages"),
    ("/profiles/", "profiles"),
    ("/quotas/", "quotas"),
    ("/oauth2/v2.0/", "v2"),
    ("/resourceGroups/{group}/", "in_group"),
)
# An optional part of a route, or one with alternatives; it may contain named groups.
CHOICE = re.compile(r"\(\?:((?:[^()]|\([^()]*\))*)\)(\??)")


class WireSchema(AutoSchema):
    def get_operation_id(self) -> str:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self.view).__name__).lower()
        parts = [self.method.lower(), words]
        address = f"{self.path.replace(SCOPE, '')}/"
        parts += [suffix for part, suffix in ADDRESSES if part in address]
        return "_".join(parts)

    def get_description(self) -> str:  # type: ignore[override]  # which drf-spectacular calls so
        """The view's own docstring; an inherited one is not about this route."""
        return inspect.cleandoc(type(self.view).__doc__ or "")

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2].replace("_", " ")]

    def get_request_serializer(self):
        return OpenApiTypes.OBJECT if self.method in BODIES else None

    def get_response_serializers(self):
        error = OpenApiResponse(OpenApiTypes.OBJECT, "Why not, in `error.message`")
        return {200: OpenApiTypes.OBJECT, "4XX": error}


class StudioAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = "studio.core.rest.authentication.StudioAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A studio token, or the JWT that the token endpoint made from one.",
        }


def tidy(endpoints):
    """Routes as callers write them: each spelling that a pattern matches is a route of its own."""
    return [
        (address, regex, method, view)
        for _, regex, method, view in endpoints
        for address in sorted(set(map(template, spellings(regex))))
    ]


def spellings(regex: str) -> list[str]:
    """The route without optional parts and alternatives: one pattern for each combination."""
    regex = regex.replace("v[12]", "v(?:1|2)")
    choice = CHOICE.search(regex)
    if choice is None:
        return [regex]
    parts = [*choice[1].split("|"), ""] if choice[2] else choice[1].split("|")
    head, tail = regex[: choice.start()], regex[choice.end() :]
    return [row for part in parts for row in spellings(f"{head}{part}{tail}")]


def template(regex: str) -> str:
    r"""The route as a template: `^a\.b/(?P<name>[^/]+)/?$` becomes `/a.b/{name}`."""
    return EndpointEnumerator().get_path_from_regex(regex.replace("^/?", "^")).rstrip("/") or "/"


def query(name: str, description: str = "", kind=OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)
