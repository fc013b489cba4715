"""Unknown addresses below a REST prefix: a 404 in REST's error shape instead of a page."""

from rest_framework.views import APIView

from studio.core.errors import NotFound

PREFIXES = (
    r"^/?(?:pipelines/v1\.0|history/v1\.0|metric/v2\.0|artifact/v2\.0|content/v[12]\.0|datastore/v1\.0"
    r"|dataset/v1\.0|data/v1\.0|environment/v[12]\.0|credential/v2\.0|modelmanagement/v1\.0|execution/v1\.0|mlflow|hyperdrive|jasmine"
    r"|rp|subscriptions|adfs|metadata|api)(?:/|$)"
)


class Missing(APIView):
    """Requires a caller like every route, so that strangers do not learn which routes exist."""

    schema = None  # not in the OpenAPI document: it is not a route

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        raise NotFound(f"There is no {request.method} {request.path} here.")

    def handle(self, request, *args, **kwargs):
        """Never called; DRF needs a handler for each method."""

    get = post = put = patch = delete = handle
