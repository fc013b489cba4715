"""Every way to say who one is that needs no browser."""

import json
import os
import ssl
import urllib.parse
import urllib.request

from azureml.core import Workspace
from azureml.core.authentication import (
    ArmTokenAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
    TokenAuthentication,
)
from azureml.pipeline.core import PublishedPipeline

names = [f"AZUREML_SERVICE_PRINCIPAL_{part}" for part in ("TENANT_ID", "ID", "PASSWORD")]
tenant, person, password = (os.environ[name] for name in names)
host = os.environ["ARM_CLOUD_METADATA_URL"].removesuffix("/metadata/endpoints")


def token() -> str:
    form = {"grant_type": "client_credentials", "client_id": person, "client_secret": password}
    with urllib.request.urlopen(  # noqa: S310 - the studio's own address
        f"{host}/adfs/oauth2/token",
        urllib.parse.urlencode(form).encode(),
        context=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]),
    ) as reply:
        return json.load(reply)["access_token"]


def check(workspace):
    assert PublishedPipeline.list(workspace), "the samples are there"
    return workspace


ws = check(Workspace.from_config())
place = (ws.subscription_id, ws.resource_group, ws.name)
check(Workspace(*place))
check(Workspace.from_config(auth=InteractiveLoginAuthentication()))
principal = ServicePrincipalAuthentication(tenant, person, password)
check(Workspace.from_config(auth=principal))
check(Workspace.get(ws.name, subscription_id=place[0], resource_group=place[1], auth=principal))
assert principal.get_authentication_header()["Authorization"].startswith("Bearer ")
assert principal.get_token().token
assert principal.signed_session().headers["Authorization"].startswith("Bearer ")
by_function = TokenAuthentication(lambda audience: token())
assert by_function.get_token()
check(Workspace.from_config(auth=by_function))
by_token = ArmTokenAuthentication(token(), cloud="AzureCloud")
check(Workspace.from_config(auth=by_token))
by_token.update_arm_access_token(token())
check(Workspace.from_config(auth=by_token))
assert ws.name in Workspace.list(ws.subscription_id, auth=principal)

# Managed identity, both flavours
os.environ["MSI_ENDPOINT"] = f"{host}/msi"
os.environ["MSI_SECRET"] = password
os.environ["APPSETTING_WEBSITE_SITE_NAME"] = "studio"
check(Workspace.from_config(auth=MsiAuthentication()))
del os.environ["APPSETTING_WEBSITE_SITE_NAME"], os.environ["MSI_SECRET"]
os.environ["MSI_ENDPOINT"] = f"{host}/msi?token={password}"
check(Workspace.from_config(auth=MsiAuthentication()))

# Who is not known is refused
try:
    Workspace.from_config(auth=ServicePrincipalAuthentication(tenant, person, "studio_wrong"))
except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
    assert "studio_wrong" not in str(error)
else:
    raise AssertionError("a wrong password was taken")
