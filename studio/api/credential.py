"""Key-vault secrets over the wire (9.3): `get_secret` and `set_secret` of a client or a step."""

from rest_framework.response import Response

from studio.core import audit, secrets
from studio.core.access import require
from studio.core.bodies import Body
from studio.core.rest import WireView


class Secrets(WireView):
    def put(self, request, **scope):
        require(self.actor, "secret")
        body = Body(request.data)
        name = body.text("name", required=True)
        secret = secrets.set_secret(
            self.actor,
            name=name,
            value=body.text("value"),
            content_type=body.text("contentType", longest=100),
        )
        audit.record(self.actor, "set secret", secret)
        return Response({"name": name})


class SecretDetail(WireView):
    # The steps of a workspace are its own code; nobody is given less than the whole workspace yet.
    for_run_tokens = True

    def get(self, request, name, **scope):
        if self.actor.run_uuid is None:
            require(self.actor, "submit")  # a Reader sees runs, not what they may know
        return Response({"name": name, "value": secrets.get_secret(self.actor, name=name)})
