from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "studio.core"
    label = "core"

    def ready(self) -> None:
        from studio.core.db.lookups import teach_sqlite  # noqa: PLC0415 - needs the registry

        connection_created.connect(teach_sqlite)
