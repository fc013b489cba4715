"""Patterns of paths: `*` and `?` mean letters within a folder, `**` any across folders.

No pattern can be made to take for ever: each wildcard takes as little as lets what follows it match,
and is not asked for more afterwards (`(?>`). More would never help, for whatever stands behind the
next wildcard is found from an earlier place just as well.
"""

import re

ACROSS = {"**/": "(?:.*?/)??", "**": ".*?"}
# `**/` may mean no folder at all where a name begins; behind letters, as in `a**/b`, it means its parts.
WILDCARDS = re.compile(r"((?<![^/])\*\*/|\*\*|\*|\?)")
WILDCARDS_AND_SETS = re.compile(rf"{WILDCARDS.pattern[:-1]}|\[[!^]?\]?[^\]]*\])")


def has_wildcard(pattern: str) -> bool:
    return bool(WILDCARDS.search(pattern))


def compiled(pattern: str, *, sets: bool = False) -> re.Pattern[str]:
    """What matches the paths that the pattern means, and `[sets]` of letters if asked for.

    Raises re.error for a set that is none, such as `[z-a]`.
    """
    expression, within, across = "", "", ""  # the last two: what closes the groups that are open
    for part in (WILDCARDS_AND_SETS if sets else WILDCARDS).split(pattern):
        if part in ACROSS:
            expression += within + across + "(?>" + ACROSS[part]
            within, across = "", ")"
        elif part == "*":
            expression += within + "(?>[^/]*?"
            within = ")"
        elif part == "?":
            expression += "[^/]"
        elif sets and part.startswith("[") and part.endswith("]"):
            expression += "(?!/)" + ("[^" + part[2:] if part[1] in "!^" else part)
        else:
            expression += re.escape(part)
    return re.compile(rf"{expression}\Z{within}{across}", re.DOTALL)
