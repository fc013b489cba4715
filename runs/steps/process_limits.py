"""The operating system's limits for arguments and variables of a new process, and what we leave out.

Linux allows 128 KiB for one argument or variable and 2 MiB for all together. Arguments of scripts are not
limited, because a running interpreter gets them through a socket or a file.
"""

from collections.abc import Iterable, Mapping

LONGEST_TEXT = 128 * 1024 - 1  # bytes of an argument, or of a variable with its name
MOST_VARIABLES = 1024 * 1024  # bytes of all variables, so that scripts can start processes too


def size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def is_too_long(name: str, value: str) -> bool:
    """Whether this variable is so long that no process can be started with it."""
    return size(name) + 1 + size(value) > LONGEST_TEXT


def left_out(
    variables: Mapping[str, str], *, first: Iterable[str], never: Iterable[str]
) -> list[str]:
    """The variables to leave out so that a process can be started: all that are too long, then the longest
    ones until the rest fits. Leaves out `first` before others, and `never` those."""
    sizes = {name: size(name) + 1 + size(value) for name, value in variables.items()}
    total = sum(sizes.values())
    if total <= LONGEST_TEXT:
        return []
    first, never = set(first), set(never)
    ranked = sorted(sizes.keys() - never, key=lambda name: (name not in first, -sizes[name]))
    found = [name for name in ranked if sizes[name] > LONGEST_TEXT]
    total -= sum(sizes[name] for name in found)
    for name in ranked:
        if total <= MOST_VARIABLES:
            break
        if name not in found:
            found.append(name)
            total -= sizes[name]
    return found
