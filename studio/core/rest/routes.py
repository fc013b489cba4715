"""How addresses of the wire are written: their fixed words are taken in any case, as Azure takes them."""

import re
from functools import cached_property, partial

from django.urls import converters, re_path, register_converter
from django.urls.resolvers import RegexPattern

# One prefix for every workspace route (wire.md 3.1).
SUBSCRIPTION = "subscriptions/(?P<subscription>[^/]+)"
GROUP = "resourceGroups/(?P<group>[^/]+)"
PROVIDER = r"providers/Microsoft\.MachineLearningServices"
SCOPE = f"{SUBSCRIPTION}/{GROUP}/{PROVIDER}/workspaces/(?P<workspace>[^/]+)"


class AnyPath(converters.PathConverter):
    """Of a file, whose name may hold whatever a file system takes: ends of lines, too."""

    regex = r"[\s\S]+"


register_converter(AnyPath, "anypath")


class AnyCase(RegexPattern):
    """The flag is no part of the pattern's text: Django can reverse none with `(?i)`, and the API
    document shows the words as they are written here. What is captured keeps its case."""

    @cached_property
    def regex(self) -> re.Pattern[str]:  # type: ignore[override]  # there, a descriptor of theirs
        return re.compile(str(self), re.IGNORECASE)


wire_path = partial(re_path, Pattern=AnyCase)
