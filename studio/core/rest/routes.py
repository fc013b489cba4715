"""Regular expressions for wire addresses: fixed words match in any case, as on Azure."""

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
    """A path of a file, whose name may contain any character, line ends included."""

    regex = r"[\s\S]+"


register_converter(AnyPath, "anypath")


class AnyCase(RegexPattern):
    """Compiles the pattern case-insensitively. `(?i)` in the pattern would keep Django from
    reversing it and appear in the OpenAPI document. Captured text keeps its case."""

    @cached_property
    def regex(self) -> re.Pattern[str]:  # type: ignore[override]  # a descriptor in Django
        return re.compile(str(self), re.IGNORECASE)


wire_path = partial(re_path, Pattern=AnyCase)
