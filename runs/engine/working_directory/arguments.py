"""The command line of a step, with the places of its inputs and outputs."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from endpoints.graph import PORT_WORD, STRUCTURED_ARGUMENTS, Argument
from runs.engine.claimed_step import Job
from runs.engine.working_directory.folder import WorkingDirectory

OPERATOR = re.compile(r"\|\|?|&&?|;|\d?(>>?|<)(&\d)?")
PLACEHOLDER = re.compile(r"\b(DatasetConsumptionConfig|DatasetOutputConfig):([\w.\-]+)")
VARIABLE = re.compile(rf"{re.escape(PORT_WORD)}([\w.\-]+)")


def arguments(job: Job, folder: WorkingDirectory) -> tuple[str, ...]:
    """The step's argv after the script (wire.md 8.5)."""
    return tuple(_values(job.node.arguments(job.values), job, folder))


def _values(arguments: Iterable[Argument], job: Job, folder: WorkingDirectory) -> Iterator[str]:
    for argument in arguments:
        if argument.kind == "Parameter":
            value = job.node.value(argument.value, job.values)
            if value is not None:
                yield value
        elif argument.kind == "Input":
            yield {**folder.references, **folder.inputs}.get(argument.value, "")
        elif argument.kind == "Output":
            yield str(folder.outputs.get(argument.value, ""))
        else:
            # The SDK writes a reference within a text as a variable, and no shell expands it here.
            yield VARIABLE.sub(partial(_expanded, folder.ports), fill(argument.value, folder))


def _expanded(ports: Mapping[str, str], found: re.Match[str]) -> str:
    """The place of the port that a variable names. If `x.csv` is no port, the place of `x`, then `.csv`."""
    name = found[1]
    while name not in ports:
        name = re.sub(r"(^|[.\-])[^.\-]*$", "", name)
        if not name:
            return found[0]
    return ports[name] + found[1][len(name) :]


def fill(text: str, folder: WorkingDirectory, *, written_as: Callable[[str], str] = str) -> str:
    """Replace the placeholders of inputs and outputs by their places."""

    def place(found: re.Match[str]) -> str:
        places = folder.inputs if found[1] == "DatasetConsumptionConfig" else folder.outputs
        known = places.get(found[2])
        return found[0] if known is None else written_as(str(known))

    return PLACEHOLDER.sub(place, text)


def command(job: Job, folder: WorkingDirectory) -> str | None:
    """The shell text of a CommandStep: its command, then its arguments as words.

    Only text written by the pipeline's author has a meaning for the shell. Values from callers and
    places are quoted.
    """
    if job.node.command is None:
        return None
    text = job.node.command
    words = [] if text == STRUCTURED_ARGUMENTS else [fill(text, folder, written_as=shlex.quote)]
    for argument in job.node.module.arguments:
        value = next(_values([argument], job, folder), None)
        if value is not None:
            is_written = argument.kind == "Literal" and not PLACEHOLDER.search(argument.value)
            words.append(_written(value) if is_written else shlex.quote(value))
    return " ".join(words)


def _written(word: str) -> str:
    """Quote a word that the author wrote, so that operators and variables keep their meaning."""
    if OPERATOR.fullmatch(word):
        return word
    if "$" in word:
        escaped = re.sub(r'(["\\`])', r"\\\1", word)
        return f'"{escaped}"'
    return shlex.quote(word)
