"""Turns the values of a call into the values of a run.

Nothing is ignored silently. A value that cannot be read as its parameter's kind is refused. A kind
that the SDK guessed from a default is advisory; a declared one (in YAML, or on a strict endpoint)
is binding. An unknown name is a warning.
"""

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from endpoints.parameters.declarations import (
    BOOLEAN_WORDS,
    Kind,
    Parameter,
)
from endpoints.parameters.references import Unreadable, datapath_text, read_datapath, read_dataset
from studio.core.errors import NamedByCaller

MOST_HINTS = 20  # comparing names is slow: many would take minutes
INTEGER = re.compile(r"[+-]?[0-9]+")


class ParameterErrors(NamedByCaller):
    """Values that cannot be used; `errors` maps each parameter's name to what is wrong."""

    def __init__(self, errors: Mapping[str, str]):
        super().__init__({name: [message] for name, message in errors.items()})
        self.errors = dict(errors)


@dataclass(frozen=True)
class Resolved:
    """The values of a run, and where each came from."""

    values: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    datapaths: dict[str, dict[str, Any]] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def coerce(parameter: Parameter, value: object, *, strict: bool = False) -> tuple[str, str | None]:
    """The wire text of a scalar and perhaps a warning; raises Unreadable. Messages about secret
    parameters never contain the value."""
    text, warning = _read(parameter, value, binding=strict or parameter.declared)
    if parameter.choices and text not in parameter.choices:
        allowed = ", ".join(parameter.choices)
        raise Unreadable(f"{_naming(parameter, value)} is none of its choices: {allowed}.")
    return text, warning


def _read(parameter: Parameter, value: object, *, binding: bool) -> tuple[str, str | None]:
    if isinstance(value, list | tuple | Mapping):
        what, example = (
            ("an object", '{"a": 1}') if isinstance(value, Mapping) else ("a list", "[1, 2]")
        )
        raise Unreadable(
            f"{_naming(parameter, value)} is {what}, and a value is one text: send it as a JSON text,"
            f" such as {json.dumps(example)}."
        )
    if value is None:
        raise _unreadable(parameter, value)
    # A bare JSON boolean is spelled like Python's: the SDK sends str(True).
    text = str(value)
    if parameter.kind is Kind.STRING:
        return text, None
    text = text.strip()
    if parameter.kind is Kind.BOOL:
        return _read_bool(parameter, value, text), None
    if parameter.kind is Kind.INT:
        return _read_int(parameter, value, text, binding=binding)
    if isinstance(value, bool) or not _is_float(text):
        raise _unreadable(parameter, value)
    return text, None


def _read_bool(parameter: Parameter, value: object, text: str) -> str:
    word = BOOLEAN_WORDS.get(text.lower()) or {"1": "True", "0": "False"}.get(text)
    if word is None:
        raise _unreadable(parameter, value)
    return word


def _read_int(
    parameter: Parameter, value: object, text: str, *, binding: bool
) -> tuple[str, str | None]:
    if INTEGER.fullmatch(text):
        return text, None
    if binding:
        raise _unreadable(parameter, value)
    guess = _shown(parameter, parameter.default)
    reason = f"its type int was only guessed from the default {guess}"
    if text.lower() in BOOLEAN_WORDS:
        word = BOOLEAN_WORDS[text.lower()]
        return word, f"{_naming(parameter, value)} is passed on as bool: {reason}."
    if _is_float(text) and math.isfinite(float(text)):
        return text, f"{_naming(parameter, value)} is passed on as float: {reason}."
    raise _unreadable(parameter, value)


def _is_float(text: str) -> bool:
    if "_" in text or not text.isascii():
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(parameter: Parameter, value: object) -> str:
    if parameter.secret:
        return "(secret)"
    text = value if isinstance(value, str) else "null" if value is None else repr(value)
    return f'"{text}"' if len(text) <= 80 else f'"{text[:80]}…"'


def _naming(parameter: Parameter, value: object) -> str:
    return f"Parameter {parameter.name} ({parameter.kind}): {_shown(parameter, value)}"


def _unreadable(parameter: Parameter, value: object) -> Unreadable:
    return Unreadable(f"{_naming(parameter, value)} cannot be read as {parameter.kind}.")


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that helps with an unknown name: the nearest known one, or all of them."""
    known = list(known)
    name = name[:100]  # comparing is quadratic, and callers choose the name
    if not known:
        return "This pipeline has no parameters."
    close = difflib.get_close_matches(name.lower(), [item.lower() for item in known], n=1)
    if close:
        meant = next(item for item in known if item.lower() == close[0])
        return f"Did you mean {meant}?"
    return f"This pipeline has: {', '.join(known)}."


def resolve(
    parameters: Mapping[str, Parameter],
    *,
    assignments: Mapping[str, Any] | None = None,
    datasets: Mapping[str, Any] | None = None,
    datapaths: Mapping[str, Any] | None = None,
    strict: bool = False,
    presets: Mapping[str, Any] | None = None,
    caller: str = "Caller",
) -> Resolved:
    """The values of all `parameters`: from the call, else from a preset, else the default. `caller`
    is recorded as the origin of assigned values (`Schedule` for a tick)."""
    resolution = _Resolution(parameters, strict=strict)
    resolution.defaults()
    resolution.scalars(presets or {}, "Preset")
    resolution.scalars(assignments or {}, caller)
    resolution.references(datapaths or {}, Kind.DATAPATH, caller)
    resolution.references(datasets or {}, Kind.DATASET, caller)
    return resolution.finish()


class _Resolution:
    """Goes through everything assigned, and collects all errors before it refuses."""

    def __init__(self, parameters: Mapping[str, Parameter], *, strict: bool):
        self.parameters = parameters
        self.strict, self.unknown = strict, 0
        self.errors: dict[str, str] = {}
        self.result = Resolved()

    def defaults(self) -> None:
        for parameter in self.parameters.values():
            if parameter.default is not None:
                self._put(parameter, parameter.default, "Default")

    def scalars(self, assigned: Mapping[str, Any], source: str) -> None:
        """ParameterAssignments; a data path may also come as the text `datastore/path`."""
        for name, value in assigned.items():
            parameter = self._known(str(name))
            if parameter is None:
                continue
            if parameter.kind is Kind.DATASET:
                self._misplaced(parameter)
            else:
                self._assign(parameter, value, source)

    def references(self, assigned: Mapping[str, Any], kind: Kind, source: str) -> None:
        for name, value in assigned.items():
            parameter = self._known(str(name))
            if parameter is None:
                continue
            if parameter.kind is not kind:
                self._misplaced(parameter)
            else:
                self._assign(parameter, value, source)

    def finish(self) -> Resolved:
        for name, parameter in self.parameters.items():
            if name in self.result.provenance or name in self.errors:
                continue
            if not parameter.is_required:
                continue
            self.errors[name] = (
                f"Parameter {name} ({parameter.kind}) has no default: give it in {parameter.section}."
            )
            if parameter.kind is Kind.DATASET:
                # What the author of a pipeline can do whose default the SDK has dropped.
                self.errors[name] += (
                    " The SDK leaves the default of a dataset out unless the step's arguments name it"
                    " as well as its inputs."
                )
        if self.errors:
            raise ParameterErrors(self.errors)
        return self.result

    def _known(self, name: str) -> Parameter | None:
        parameter = self.parameters.get(name)
        if parameter is None:
            self.unknown += 1
            message = f"There is no parameter {name[:100]}."
            if self.unknown <= MOST_HINTS:
                message += f" {nearest(name, self.parameters)}"
            if self.strict:
                self.errors[name] = message
            else:
                self.result.warnings.append(f"{message} The value was ignored.")
        return parameter

    def _misplaced(self, parameter: Parameter) -> None:
        self.errors[parameter.name] = (
            f"Parameter {parameter.name} is of type {parameter.kind}: give it in {parameter.section}."
        )

    def _assign(self, parameter: Parameter, value: object, source: str) -> None:
        try:
            if parameter.is_scalar:
                text, warning = coerce(parameter, value, strict=self.strict)
                self.result.warnings.extend([warning] if warning else [])
                self._put(parameter, text, source)
            else:
                self._put(parameter, _reference(parameter, value), source)
        except Unreadable as error:
            self.errors[parameter.name] = str(error)

    def _put(self, parameter: Parameter, value: Any, source: str) -> None:
        name = parameter.name
        if parameter.kind is Kind.DATASET:
            self.result.datasets[name] = dict(value)
        elif parameter.kind is Kind.DATAPATH:
            self.result.datapaths[name] = dict(value)
            # The SDK rebuilds a graph from ParameterAssignments, data paths included (wire.md 5.2).
            self.result.values[name] = datapath_text(value)
        else:
            self.result.values[name] = value
        self.result.provenance[name] = source


def _reference(parameter: Parameter, value: object) -> dict[str, Any]:
    read = read_datapath if parameter.kind is Kind.DATAPATH else read_dataset
    try:
        return read(value)
    except Unreadable as error:
        raise Unreadable(f"Parameter {parameter.name} ({parameter.kind}): {error}") from None
