"""How wire views appear in the OpenAPI document. Operations are named after the views. A view says by
`documented` what it takes and gives: a serializer, a TypedDict, a list of them. Other bodies are objects
without fields: only the SDK sends and reads them."""

import inspect
import re
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_serializer, resolve_type_hint
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)

from studio.core.rest.errors import ErrorBody

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
        if self.method not in BODIES:
            return None
        body = self.documented("takes")
        return OpenApiRequest(body) if isinstance(body, dict) else body

    def get_response_serializers(self):
        error = OpenApiResponse(ErrorBody, "Why not, in `error.message`")
        return {200: self.documented("gives"), "4XX": error}

    def documented(self, what: str) -> Any:
        """What `documented` says of the view's method."""
        declared = getattr(getattr(self.view, self.method.lower()), what, OpenApiTypes.OBJECT)
        if get_origin(declared) is list:
            return {"type": "array", "items": self.reference(*get_args(declared))}
        if get_origin(declared) in (Union, UnionType):
            return {"anyOf": [self.reference(kind) for kind in get_args(declared)]}
        is_hint = get_origin(declared) is not None and not is_serializer(declared)
        return schema_of(declared) if is_hint else declared

    def reference(self, declared: Any) -> dict:
        return self.resolve_serializer(declared, "response").ref

    def map_parsers(self) -> list[str]:
        """Bodies are read as JSON whatever their type; this is the one to send."""
        return ["application/json" if kind == "*/*" else kind for kind in super().map_parsers()]


def documented(*, takes: Any = None, gives: Any = None, parameters: Iterable[Any] = ()):
    """Says what a method of a view takes and gives, in the OpenAPI document; None is an empty body."""

    def mark(method):
        method.takes, method.gives = takes, gives
        return extend_schema(parameters=list(parameters))(method)

    return mark


def example(value: Any):
    """Documents a serializer by a body that it reads."""
    shown = OpenApiExample("Example", value=value, request_only=True)
    return extend_schema_serializer(examples=[shown])


def looks_like(hint: Any):
    """Documents the values of a field, whose type alone says too little."""
    return extend_schema_field(schema_of(hint))


class TypedDictExtension(OpenApiSerializerExtension):
    """A TypedDict is a component: the type of the function that makes such an answer."""

    target_class = dict

    @classmethod
    def _matches(cls, target: Any) -> bool:
        return is_typeddict(target)

    def get_name(self, auto_schema, direction) -> str:
        return self.target.__name__

    def map_serializer(self, auto_schema, direction) -> dict:
        return schema_of(self.target)


class Also(dict):
    """In `Annotated`: what a schema says beside the type."""

    def __hash__(self) -> int:  # type: ignore[override]  # `Annotated` is hashed in a union
        return id(self)


Time = Annotated[str, Also(format="date-time", example="2026-12-01T08:00:00Z")]
Uuid = Annotated[str, Also(format="uuid")]
MANY = {list: ("array", "items"), dict: ("object", "additionalProperties")}


def schema_of(hint: Any) -> Any:
    """The schema of a type; `Annotated` adds to it what the type cannot say."""
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return {**schema_of(arguments[0]), **arguments[1]}
    if get_origin(hint) in MANY:
        kind, key = MANY[get_origin(hint)]
        return {"type": kind, key: schema_of(arguments[-1])}
    if get_origin(hint) in (Union, UnionType):
        kinds = [schema_of(kind) for kind in arguments if kind is not NoneType]
        schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        return {**schema, "nullable": True} if NoneType in arguments else schema
    if is_typeddict(hint):
        rows = get_type_hints(hint, include_extras=True)
        required = [key for key in rows if key in hint.__required_keys__]
        return {
            **({"required": required} if required else {}),
            "type": "object",
            "description": inspect.cleandoc(hint.__doc__ or ""),
            "properties": {key: schema_of(kind) for key, kind in rows.items()},
        }
    if hint in (Any, NoneType):
        return {"enum": [None], "nullable": True} if hint is NoneType else {}
    return resolve_type_hint(hint)


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


def query(name: str, description: str = "", kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)


ACTIVE_ONLY = query(
    "activeOnly", "Whether to leave out what is disabled; by default true.", OpenApiTypes.BOOL
)
