"""Words for the OpenAPI document: wire entities are plain JSON objects there."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

JSON = OpenApiTypes.OBJECT
TEXT = {(200, "text/plain"): OpenApiTypes.STR}
EMPTY = OpenApiResponse(description="Done; no content.")


def query(name: str, description: str = "", kind=OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)
