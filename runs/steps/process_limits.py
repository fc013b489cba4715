"""How much the operating system hands to a process that is started, and what is done about more.

Linux takes 128 KiB for one argument or variable and 2 MiB for all of them. Scripts are no concern: the
interpreter that runs them is given their arguments when it is there already.
"""

from collections.abc import Iterable, Mapping

LONGEST_TEXT = 128 * 1024 - 1  # bytes of an argument, or of a variable with its name
MOST_VARIABLES = 1024 * 1024  # bytes of all variables, so that scripts can start processes too


def size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def is_too_long(name: str, value: str) -> bool:
    """Whether no process can be started with this variable."""
    return size(name) + 1 + size(value) > LONGEST_TEXT


def left_out(
    variables: Mapping[str, str], *, first: Iterable[str], never: Iterable[str]
) -> list[str]:
    """The variables to leave out so that processes can be started: the too long ones, then the longest
    ones until the rest fits, `first` before others."""
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
