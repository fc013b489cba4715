"""Key-vault secrets (wire.md 9.8): `Keyvault` of a client, `get_secret` of a step."""

from rest_framework.response import Response

from studio.core import secrets
from studio.core.errors import NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView

MOST = 500  # most secrets in one call
NOT_PROVIDED = "application/NotProvided"  # the client's word for "no content type"


class Secrets(WireView):
    def get(self, request, **scope):
        rows = [{"name": name} for name in secrets.secret_names(self.actor)]
        return Response({"value": rows, "continuationToken": None})

    def put(self, request, **scope):
        secret = secrets.set_secret(self.actor, **secret_of(Body(request.data)))
        return Response({"name": secret.name})


class SecretBatch(WireView):
    """`secrets:putbatch`, `secrets:getbatch` and `secrets:deletebatch`: several secrets in one
    call."""

    for_run_tokens = True

    def put(self, request, which, **scope):
        asked = self.asked()
        if which.lower() == "putbatch":
            secrets.set_secrets(self.actor, map(secret_of, asked))
            return Response(status=200)
        raise NotFound(f"There is no PUT {request.path} here.")

    def post(self, request, which, **scope):
        names = [body.text("name", required=True) for body in self.asked()]
        which = which.lower()  # a word of ours, which callers spell as they like
        if which == "getbatch":
            return Response(self.found(names))
        if which == "deletebatch":
            secrets.delete_secrets(self.actor, names)
            return Response(status=200)
        raise NotFound(f"There is no POST {request.path} here.")

    def asked(self) -> list[Body]:
        rows = Body(self.request.data).items("secrets", most=MOST)
        return [Body(row, name="secrets") for row in rows]

    def found(self, names: list[str]) -> dict:
        found, missing = [], []
        for name in names:
            try:
                value = secrets.get_secret(self.actor, name=name)
                found.append({"name": name, "value": value})
            except NotFound:
                missing.append(name)
        return {"secrets": found, "notFoundSecrets": missing}


class SecretDetail(WireView):
    for_run_tokens = True

    def get(self, request, name, **scope):
        secret = secrets.read_secret(self.actor, name=name)
        value = secrets.decrypt(secret.ciphertext)
        kind = secret.content_type or NOT_PROVIDED
        return Response({"name": name, "value": value, "contentType": kind})

    def delete(self, request, name, **scope):
        secrets.delete_secret(self.actor, name=name)
        return Response(status=200)


def secret_of(body: Body) -> dict[str, str]:
    return {
        "name": body.text("name", required=True),
        "value": body.text("value"),
        "content_type": body.text("contentType", longest=100),
    }
