"""Key-vault secrets over the wire (9.3): `get_secret` and `set_secret` of a client or a step."""

from rest_framework.response import Response

from studio.core import secrets
from studio.core.bodies import Body
from studio.core.rest import WireView


class Secrets(WireView):
    def put(self, request, **scope):
        body = Body(request.data)
        name = body.text("name", required=True)
        secrets.set_secret(
            self.actor,
            name=name,
            value=body.text("value"),
            content_type=body.text("contentType", longest=100),
        )
        return Response({"name": name})


class SecretDetail(WireView):
    for_run_tokens = True

    def get(self, request, name, **scope):
        return Response({"name": name, "value": secrets.get_secret(self.actor, name=name)})
