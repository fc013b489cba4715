"""Files of runs that belong to registered models, and therefore never change."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from django.db import transaction

from runs.models import Artifact, RegisteredModel, Run
from studio.core.errors import Conflict
from studio.storage.store import CHUNK, studio_store


class ModelFile(Conflict):
    """The file belongs to a registered model."""


class ModelFiles:
    """The files of a run's registered models."""

    def __init__(self, run: Run):
        self.run = run

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """The path of each model, which may be a folder, and its name and version."""
        models = RegisteredModel.objects.filter(asset__run=self.run).order_by("pk")
        return [
            (row["prefix"].split("/", 2)[2], f"{name}:{number}")
            for name, number, rows in models.values_list("name", "number", "asset__artifacts")
            for row in rows
        ]

    def model_of(self, path: str) -> str | None:
        """The model to which the file at `path` belongs or would belong, since a model may be a folder."""
        for prefix, model in self.models:
            if path == prefix or path.startswith(f"{prefix}/"):
                return model
        return None

    def why_not(self, path: str, source: Path) -> str | None:
        """Why a local file must not be stored at `path`: None if it may be, "" if the stored file belongs to
        a model but is the same."""
        model = self.model_of(path)
        if model is None:
            return None
        kept = Artifact.objects.filter(run=self.run, path=path).values_list("blob", flat=True)
        if any(_is_same(blob, source) for blob in kept):
            return ""
        return (
            f"{path} was not stored again: it belongs to the registered model {model}, whose files"
            " never change."
        )


def require_free(run: Run, *paths: str) -> None:
    files = ModelFiles(run)
    for path in paths:
        model = files.model_of(path)
        if model is not None:
            raise ModelFile(
                f"{path} of run {run.uuid} belongs to the registered model {model}, whose files never"
                " change: use another path, and register a new version of it."
            )


def _is_same(blob: str, source: Path) -> bool:
    """Whether a local file has the same content as the stored one."""
    try:
        with studio_store().open(blob) as kept, source.open("rb") as file:
            while (data := kept.read(CHUNK)) == file.read(CHUNK):
                if not data:
                    return True
    except FileNotFoundError:
        pass
    return False


@contextmanager
def writing(run: Run, path: str) -> Iterator[None]:
    """Wraps a change of the file: refuses it if the file belongs to a model, and keeps models from being
    registered meanwhile."""
    with transaction.atomic():
        lock(run.pk)
        require_free(run, path)
        yield


def lock(run_id: int) -> None:
    """Lock the run: until this transaction ends, none of its files changes or becomes part of a model."""
    Run.objects.select_for_update(no_key=True).only("pk").get(pk=run_id)
