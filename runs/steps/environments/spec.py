"""Reads an Azure ML environment definition into a list of what to install. Builds nothing."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from endpoints.graph import VARIABLE_NAME

from . import conda

# Packages that our `azureml` package replaces. Nearly every definition names them by default, and they would
# install 99 packages.
MET_BY_OURS = {
    "azureml-core",
    "azureml-dataprep",
    "azureml-dataprep-native",
    "azureml-dataprep-rslex",
    "azureml-dataset-runtime",
    "azureml-defaults",
}
REAL = "STUDIO_AZUREML"  # an environment's variable: `real` installs the real azureml packages
# Variables that a definition cannot set, even if the studio does not set them either.
OURS, OUR_PREFIXES = (
    ("PATH", "HOME"),
    ("AZUREML_RUN_", "AZUREML_ARM_", "AZUREML_SERVICE_", "STUDIO_"),
)
DEFAULT_IMAGES = "mcr.microsoft.com/azureml/"
_INDEX_OPTION = re.compile(
    r"^(?P<name>-i|-f|--index-url|--extra-index-url|--find-links)[ =]+(?P<value>https?://\S+)$"
)
# The old address of PyPI, which `CondaDependencies.create` writes into every definition.
_OLD_INDEX = re.compile(r"^https?://pypi\.python\.org/simple(/|/index\.html)?$")
_BINARY_OPTION = re.compile(r"^(?P<name>--no-binary|--only-binary)[ =]+(?P<value>[\w.,:\-]+)$")
_LONG_OPTION = {"-i": "--index-url", "-f": "--find-links"}
_REMOTE = re.compile(r"^((git|hg|svn|bzr)\+)?https?://\S+$")


def is_ours(variable: str) -> bool:
    return variable in OURS or variable.startswith(OUR_PREFIXES)


class EnvironmentRefused(Exception):
    """The definition asks for something that is not available here; the message names it."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class EnvironmentSpec:
    """`python` is a version (`3.8.13`) or a range (`>=3.9`); `requirements` and `options` are lines of a
    requirements file."""

    python: str | None = None
    requirements: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    real_azureml: bool = False
    warnings: tuple[str, ...] = ()

    @cached_property
    def content_hash(self) -> str:
        """Equal for definitions that install the same; so variables are not part of it."""
        content = [self.python, sorted(set(self.requirements)), list(self.options)]
        return sha256(json.dumps(content).encode()).hexdigest()


def parse(definition: Mapping[str, Any] | None, *, real_azureml: bool = False) -> EnvironmentSpec:
    """Read the `environment` of a Runconfig (wire.md 8.5) or a registered definition (wire.md 9.6)."""
    keys = _lowered(definition or {}, "environment")
    if keys.get("r"):
        raise EnvironmentRefused(
            "The environment asks for R, but steps can only be Python scripts and commands."
        )
    reader = _Reader(variables=_variables(keys))
    wanted = reader.variables.get(REAL, "").lower() == "real"
    reader.real = real_azureml or wanted
    _read_python(reader, _lowered(keys.get("python") or {}, "python"))
    if wanted and not reader.names & {"azureml-core", "azureml-defaults", "azureml-sdk"}:
        reader.requirements.append("azureml-core")
    _warn_of_image(reader, keys)
    return EnvironmentSpec(
        python=reader.python,
        requirements=tuple(dict.fromkeys(reader.requirements)),
        options=tuple(dict.fromkeys(reader.options)),
        variables=reader.variables,
        real_azureml=reader.real,
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Collects what to install while a definition is read."""

    def __init__(self, *, variables: dict[str, str]):
        self.variables = variables
        self.real = False
        self.python: str | None = None
        self.names: set[str] = set()
        self.requirements: list[str] = []
        self.options: list[str] = []
        self.warnings: list[str] = []

    def conda_entry(self, entry: Any) -> None:
        if isinstance(entry, Mapping):
            for name, lines in entry.items():
                if str(name).lower() != "pip":
                    raise EnvironmentRefused(
                        f"The conda section '{name}' is not supported; only 'pip' is."
                    )
                self.pip_lines(lines)
            return
        if not isinstance(entry, str):
            raise EnvironmentRefused(f"The conda package {entry!r} is not a text.")
        try:
            name, specifier = conda.split_match(entry)
            if name == "pip":  # conda requires it for a pip section; uv does not need it
                return
            if name == "python":
                self.python = specifier.removeprefix("==").removesuffix(".*") or None
                return
            self.requirement(conda.requirement(name, specifier))
        except ValueError as error:
            raise EnvironmentRefused(
                f"The conda package '{entry}' cannot be installed: {error}."
            ) from None

    def pip_lines(self, lines: Any) -> None:
        for line in _list(lines, "pip packages"):
            if not isinstance(line, str):
                raise EnvironmentRefused(f"The pip requirement {line!r} is not a text.")
            text = line.strip()
            if "\n" in text or "\r" in text:
                raise EnvironmentRefused(f"The pip requirement {text!r} spans more than one line.")
            text = re.sub(r"(^|\s)#.*$", "", text).strip()
            _check_lends_nothing(text)
            if text.startswith("-"):
                self.option(text)
            elif text:
                self.requirement(text)

    def option(self, text: str) -> None:
        if text == "--pre":
            self.options.append(text)
            return
        match = _INDEX_OPTION.match(text) or _BINARY_OPTION.match(text)
        if not match:
            raise EnvironmentRefused(
                f"The pip option '{text}' cannot be used: only the definition is sent, without other files."
            )
        if _OLD_INDEX.match(match["value"]):
            return
        self.options.append(f"{_LONG_OPTION.get(match['name'], match['name'])} {match['value']}")

    def requirement(self, text: str) -> None:
        if _REMOTE.match(text):
            self.requirements.append(text)
            return
        try:
            parsed = Requirement(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            raise EnvironmentRefused(
                f"The pip requirement '{text}' cannot be read: {reason}"
            ) from None
        if parsed.url and not _REMOTE.match(parsed.url):
            raise EnvironmentRefused(
                f"The pip requirement '{text}' names a file, which is not sent with the definition."
            )
        name = canonicalize_name(parsed.name)
        self.names.add(name)
        if self.real or name not in MET_BY_OURS:
            self.requirements.append(str(parsed))
        elif "pandas" in parsed.extras:  # many get pandas through azureml-dataprep[pandas]
            self.requirements.append("pandas")


def _check_lends_nothing(text: str) -> None:
    """Refuse requirements that would use the worker's secrets: uv expands the worker's variables in an
    address, and git would sign in with the worker's SSH key."""
    if "${" in text:
        raise EnvironmentRefused(
            f"The pip requirement '{text}' contains a variable, but variables are not expanded: write"
            " the full address. To use a package index with a password, an administrator sets"
            " UV_INDEX_URL in the studio's environment."
        )
    if re.search(r"\b(\w+\+)?ssh://", text):
        raise EnvironmentRefused(
            f"The pip requirement '{text}' needs the worker's SSH key, which is not used to build"
            " environments: use an https:// address."
        )


def _read_python(reader: _Reader, section: dict[str, Any]) -> None:
    if section.get("usermanageddependencies") is True:
        reader.warnings.append(
            "The environment expects its packages in its image (userManagedDependencies), but images"
            " are not used here; the step runs with Python's standard library only."
        )
        return
    if section.get("condadependenciesfile") and not section.get("condadependencies"):
        raise EnvironmentRefused(
            f"The environment names the file '{section['condadependenciesfile']}', which was not sent with it."
        )
    conda_file = section.get("condadependencies") or {}
    if not isinstance(conda_file, Mapping):
        raise EnvironmentRefused("The condaDependencies of an environment must be a mapping.")
    for entry in _list(conda_file.get("dependencies"), "conda dependencies"):
        reader.conda_entry(entry)


def _list(value: Any, what: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise EnvironmentRefused(f"The {what} of an environment must be a list.")
    return value


def _lowered(value: Any, what: str) -> dict[str, Any]:
    """Lower-case keys without underscores: v1 sends keys in Pascal and camel case, people write snake case."""
    if not isinstance(value, Mapping):
        raise EnvironmentRefused(f"The {what} section of an environment must be a mapping.")
    return {str(key).lower().replace("_", ""): item for key, item in value.items()}


def _variables(keys: dict[str, Any]) -> dict[str, str]:
    value = keys.get("environmentvariables") or {}
    if not isinstance(value, Mapping):
        raise EnvironmentRefused("The environment variables must be a mapping of names to values.")
    for name, text in value.items():
        if not VARIABLE_NAME.fullmatch(str(name)) or "\0" in str(text):
            raise EnvironmentRefused(f"The environment variable {str(name)!r} cannot be set.")
    return {str(name): str(text) for name, text in value.items() if text is not None}


def _warn_of_image(reader: _Reader, keys: dict[str, Any]) -> None:
    docker = keys.get("docker")
    if not isinstance(docker, Mapping):
        return
    section = _lowered(docker, "docker")
    if section.get("basedockerfile"):
        reader.warnings.append(
            "The environment's Dockerfile is not used: steps run as plain processes."
        )
        return
    image = section.get("baseimage")
    if image and not str(image).startswith(DEFAULT_IMAGES):
        reader.warnings.append(f"The image '{image}' is not used: steps run as plain processes.")
