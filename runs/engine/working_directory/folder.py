"""The places in a working directory."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runs.steps.environments import PACKAGES
from studio.storage.paths import PathError, relative_path


@dataclass
class WorkingDirectory:
    """A working folder. `inputs` and `outputs` hold what the command line gets for each port: a path, or
    the id of a dataset that the script reads itself (mode `direct`)."""

    path: Path
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Path] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    # Inputs, by the name of their DataReference.
    references: dict[str, str] = field(default_factory=dict)
    linked: dict[Path, dict[str, Any]] = field(default_factory=dict)
    # What was at the places of outputs before the step ran. A folder of the code that the step did not
    # change is no output.
    taken: dict[Path, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def ports(self) -> dict[str, str]:
        """The places that AZUREML_DATAREFERENCE_* variables point to, by name."""
        outputs = {name: str(path) for name, path in self.outputs.items()}
        return {**self.references, **self.inputs, **outputs}

    @property
    def code(self) -> Path:
        return self.path / "code"

    @property
    def packages(self) -> Path:
        return self.path / PACKAGES

    @property
    def facts(self) -> Path:
        return self.path / "facts"

    @property
    def log(self) -> Path:
        return self.path / "log"


def port_folder(name: str) -> str:
    """A port's name as one part of a path."""
    return re.sub(r"[^\w.\-]", "_", name).strip(".") or "_"


def inside(folder: WorkingDirectory, wanted: str) -> Path | None:
    """`wanted` as a path below the code folder, where the step runs; None if it is invalid or leads out
    of that folder."""
    try:
        path = folder.code / relative_path(wanted, backslash=True)
        path.exists()  # raises if a name is too long
        # A parent folder may be a link to a mounted input.
        return path if path.parent.resolve().is_relative_to(folder.code.resolve()) else None
    except (PathError, OSError, RuntimeError):  # RuntimeError: a loop of links
        return None
