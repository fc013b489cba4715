"""The Runconfig of a step (wire.md 8.5), from a runconfig file or the short `environment` section."""

from pathlib import Path
from typing import Any

from endpoints.authoring.yaml_format.source import Value, load

ENVIRONMENT_KEYS = frozenset({"name", "python", "pip", "conda", "channels", "variables"})


def read_runconfig(step: dict[str, Value], *, root: Path, here: Path) -> dict[str, Any]:
    """The Runconfig of `step`; its `environment` overrides the runconfig file's."""
    runconfig: dict[str, Any] = {"framework": "Python", "nodeCount": 1}
    if "runconfig" in step:
        runconfig |= _from_file(step["runconfig"], root=root, here=here)
    if "environment" in step:
        runconfig["environment"] = _environment(step["environment"], root=root, here=here)
    extensions = {
        wire: step[key].count()
        for key, wire in (("retries", "retries"), ("retry_delay_seconds", "retryDelaySeconds"))
        if key in step
    }
    if extensions:
        runconfig["studio"] = extensions
    if "timeout_seconds" in step:
        runconfig["maxRunDurationSeconds"] = step["timeout_seconds"].count()
    return runconfig


def inside(value: Value, *, root: Path, here: Path) -> Path:
    """The file that a value names, relative to its own file; it must be inside the pipeline's
    folder."""
    text = value.name()
    path = (here / text).resolve()
    if not path.is_relative_to(root.resolve()):
        raise value.fail(f"{text} lies outside the pipeline's folder.")
    return path


def _from_file(value: Value, *, root: Path, here: Path) -> dict[str, Any]:
    path = inside(value, root=root, here=here)
    if not path.is_file():
        raise value.fail(f"There is no file {value.text()}.")
    document = load(path, shown=value.text())
    document.mapping()
    runconfig = document.plain() or {}
    environment = runconfig.get("environment") or {}
    python = environment.get("python") or {} if isinstance(environment, dict) else {}
    named = python.get("condaDependenciesFile") if isinstance(python, dict) else None
    if named:
        conda = (path.parent / str(named)).resolve()
        if not conda.is_file() or not conda.is_relative_to(root.resolve()):
            raise document.fail(f"There is no file {named}, which condaDependenciesFile names.")
        python["condaDependencies"] = load(conda, shown=str(named)).plain()
    return runconfig


def _environment(value: Value, *, root: Path, here: Path) -> dict[str, Any]:
    if not value.is_mapping:  # the path of a conda file
        path = inside(value, root=root, here=here)
        if not path.is_file():
            raise value.fail(f"There is no file {value.text()}.")
        document = load(path, shown=value.text())
        document.mapping()
        return _definition(None, document.plain() or {}, {})
    keys = value.mapping(ENVIRONMENT_KEYS)
    packages = [item.name() for item in keys["pip"].items()] if "pip" in keys else []
    dependencies: list[Any] = (
        [item.name() for item in keys["conda"].items()] if "conda" in keys else []
    )
    if "python" in keys:
        dependencies.insert(0, f"python={keys['python'].name()}")
    if packages:
        dependencies.append({"pip": packages})
    conda: dict[str, Any] = {"dependencies": dependencies}
    if "channels" in keys:
        conda["channels"] = [item.name() for item in keys["channels"].items()]
    variables = keys["variables"].mapping() if "variables" in keys else {}
    name = keys["name"].name() if "name" in keys else None
    return _definition(name, conda, {key: item.text() for key, item in variables.items()})


def _definition(
    name: str | None, conda: dict[str, Any], variables: dict[str, str]
) -> dict[str, Any]:
    return {
        "name": name,
        "version": None,
        "python": {
            "userManagedDependencies": False,
            "interpreterPath": "python",
            "condaDependencies": conda,
        },
        "environmentVariables": variables,
    }
