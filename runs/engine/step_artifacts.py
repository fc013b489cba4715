"""Stores the files that a script left in `./outputs` and `./logs`."""

import os
from functools import partial
from pathlib import Path

from django.core.exceptions import ValidationError

from runs.engine.outages import OutageRetry
from runs.engine.step_reports import MAX_WARNINGS
from runs.models import Run
from runs.tracking import artifacts
from runs.tracking.author import Author, Superseded
from runs.tracking.model_files import ModelFiles
from studio.core import file_names
from studio.storage.failures import StoreFailed


def store_artifacts(
    run: Run, author: Author, code: Path, warnings: list[str], *, retry: OutageRetry
) -> list[str]:
    """Store `./outputs` and `./logs` as artifacts, also if the step failed.

    Adds a warning to `warnings` for each file that cannot be stored; returns the files whose names the
    database cannot hold."""
    left_out = []
    models = ModelFiles(run)
    for top in ("outputs", "logs"):
        if (code / top).is_symlink():
            warnings.append(f"The folder {top} was not kept: it is a link.")
            continue
        for folder, _, files in os.walk(code / top):
            for name in files:
                path = Path(folder, name)
                if path.is_symlink() or not path.is_file():
                    continue
                name_of = str(path.relative_to(code))
                try:
                    store = partial(artifacts.store_file, run, name_of, path, models=models)
                    refusal = retry(partial(store, author=author))
                    warnings += filter(None, [refusal])
                except Superseded:
                    return []
                except ValidationError:
                    left_out.append(name_of)
                except StoreFailed:
                    raise
                except OSError as error:
                    shown = file_names.shown(name)
                    warnings.append(f"The file {shown} was not kept: {error.strerror}.")
    warnings += [
        f"The file {file_names.shown(name)} was not kept: its name cannot be stored."
        for name in left_out[:MAX_WARNINGS]
    ]
    return left_out
