"""The OpenAPI document of everything REST, for signed-in people and for tokens."""

from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from studio.core.rest.authentication import StudioAuthentication


class ApiDocument(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer]
    # The token first: its scheme is what a 401 names.
    authentication_classes = [StudioAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
