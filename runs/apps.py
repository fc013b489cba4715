from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs"

    def ready(self) -> None:
        # Imported here because they need the models, which are not loaded yet when this module is.
        from runs import run_tokens  # noqa: PLC0415
        from studio.core import tokens  # noqa: PLC0415

        tokens.claim_readers.append(run_tokens.reader)
