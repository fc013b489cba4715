import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

from studio.core import tokens
from studio.management.callers import AuditedCommand, pick, terminal_actor

DAYS = 30


class Command(AuditedCommand):
    help = 'Print the environment for the unmodified SDK: eval "$(manage.py sdkenv)"'
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--user", metavar="U", help="whom the SDK acts as (the administrator)")
        parser.add_argument("--workspace", metavar="W", help="(the first)")
        parser.add_argument(
            "--write-config", metavar="DIR", type=Path, help="also write DIR/.azureml/config.json"
        )
        parser.add_argument("--data", metavar="DIR", help="the data folder (./.studio)")

    def handle(self, *, user, workspace, write_config, **options):
        user, workspace = pick(username=user, workspace=workspace)
        if write_config:
            _write_config(write_config, workspace)
        _, plain = tokens.make(
            terminal_actor("sdkenv", workspace),
            user=user,
            name="sdkenv",
            days=DAYS,
        )
        # SDK scripts that name no authentication use the service principal.
        variables = {
            "ARM_CLOUD_METADATA_URL": f"{settings.STUDIO_BASE_URL}/metadata/endpoints",
            "AZUREML_CURRENT_CLOUD": "AzureCloud",
            "AZURE_CONFIG_DIR": str(_cloud_folder()),
            "AZUREML_SERVICE_PRINCIPAL_TENANT_ID": "studio",
            "AZUREML_SERVICE_PRINCIPAL_ID": user.get_username(),
            "AZUREML_SERVICE_PRINCIPAL_PASSWORD": plain,
        }
        if settings.STUDIO_CA_BUNDLE.is_file():
            variables["REQUESTS_CA_BUNDLE"] = variables["SSL_CERT_FILE"] = str(
                settings.STUDIO_CA_BUNDLE
            )
        for name, value in variables.items():
            self.stdout.write(f"export {name}={shlex.quote(value)}")


def _cloud_folder() -> Path:
    """The folder in which clients look for what they know about clouds, instead of ~/.azure. They
    trust what they find there, also from an older studio or from Azure, so each address has its own
    folder. It is not created: without it, clients ask the server each time."""
    address = urlsplit(settings.STUDIO_BASE_URL).netloc
    return settings.STUDIO_DATA / "clouds" / re.sub(r"[^A-Za-z0-9.]+", "-", address)


def _write_config(folder: Path, workspace) -> None:
    file = folder / ".azureml" / "config.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            json.dumps(
                {
                    "subscription_id": workspace.subscription_id,
                    "resource_group": workspace.resource_group,
                    "workspace_name": workspace.name,
                },
                indent=4,
            )
        )
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from error
