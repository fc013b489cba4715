"""The OpenAPI document of all REST, for signed-in people and for tokens."""

from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from studio.core.rest.authentication import StudioAuthentication


class ApiDocument(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer]
    # Token authentication first: its scheme is the one that a 401 names.
    authentication_classes = [StudioAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
