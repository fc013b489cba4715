"""The keys of a trigger's body, and of a submission that is kept: which are read, which are taken in silence, and what is said of others.

A key that nobody reads is a value that somebody meant: `ParameterAssignment` would run the defaults.
"""

import difflib

from studio.core.bodies import Body, keys_twice
from studio.core.errors import BadValue

READ = (
    *("ExperimentName", "Description", "DisplayName", "ParameterAssignments"),
    *("DataSetDefinitionValueAssignments", "DataPathAssignments", "Tags", "StepTags"),
    *("Properties", "RunSource", "RunType", "ContinueRunOnStepFailure", "continueOnStepFailure"),
    "ParentRunId",
)
# What clients of v1 send, and nothing here depends on.
EXTRAS = ("AzDevOpsCallBackInfo", "EnableNotification", "ScheduleId", "CredentialPassthrough")
MEANT = {
    "pipelineversion": (
        "A version goes into the address: …/{id}/{version}, or ?pipelineVersion={version}."
    ),
}
OBJECTS = (
    *("ParameterAssignments", "DataSetDefinitionValueAssignments", "DataPathAssignments"),
    *("Tags", "StepTags", "Properties"),
)
MOST_STEP_TAGS = 50  # each is a row per step
MOST = 20  # remarks; a body may have any number of keys
KNOWN = {key.lower(): key for key in (*READ, *EXTRAS)}


def step_tags(body: Body) -> dict[str, str]:
    found = body.texts("StepTags")
    if len(found) > MOST_STEP_TAGS:
        raise BadValue(f"StepTags may have at most {MOST_STEP_TAGS} tags.", target="StepTags")
    return found


def continue_on_step_failure(body: Body) -> bool | None:
    """The SDK's key, else Data Factory's."""
    return body.flag("ContinueRunOnStepFailure", body.flag("continueOnStepFailure"))


def remarks(body: Body) -> dict[str, str]:
    """What is to be said of the body's keys, by key: of those that are not known, and of those that
    come twice."""
    found = {}
    for key in body.raw:
        if len(found) == MOST:
            break
        if str(key).lower() not in KNOWN:
            found[key[:100]] = f"The body has no key {key[:100]!r}: it was ignored.{_hint(key)}"
    for names in body.twice[:MOST]:
        which = " and ".join(name[:100] for name in names)
        named = f"has {which}" if len(names) > 1 else f"names {which} more than once"
        found[names[-1][:100]] = f"The body {named}: only the last one counts."
    for section in OBJECTS:
        for name in keys_twice(body.mapping(section))[:MOST]:
            found[name[:100]] = (
                f"{section} names {name[:100]} more than once: only the last value counts."
            )
    return found


def _hint(key: str) -> str:
    if key.lower() in MEANT:
        return f" {MEANT[key.lower()]}"
    close = difflib.get_close_matches(key[:100].lower(), [name.lower() for name in READ], n=1)
    return f" Did you mean {KNOWN[close[0]]}?" if close else ""
