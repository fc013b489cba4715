"""Patterns of paths: `*` and `?` match within a folder, `**` across folders.

No pattern takes exponential time: each wildcard matches as little as possible and does not backtrack
(`(?>`). Matching more would never help, because the next wildcard can match the difference.
"""

import re

ACROSS = {"**/": "(?:.*?/)??", "**": ".*?"}
# `**/` may match no folder at all, but only at the beginning of a name and not in `a**/b`.
WILDCARDS = re.compile(r"((?<![^/])\*\*/|\*\*|\*|\?)")
WILDCARDS_AND_SETS = re.compile(rf"{WILDCARDS.pattern[:-1]}|\[[!^]?\]?[^\]]*\])")


def has_wildcard(pattern: str) -> bool:
    return bool(WILDCARDS.search(pattern))


def compiled(pattern: str, *, sets: bool = False) -> re.Pattern[str]:
    """A regular expression for a pattern. With `sets`, `[abc]` matches one of these letters.

    Raises re.error for an invalid set, such as `[z-a]`.
    """
    expression, within, across = "", "", ""  # the last two close open groups
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
