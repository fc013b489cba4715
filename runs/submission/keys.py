"""The keys of a trigger's body, and of a stored submission: which are read, which are accepted
without effect, and what is said about others.

A key that nobody reads is a value that somebody meant: with `ParameterAssignment` the defaults
would run.
"""

import difflib
from collections.abc import Collection

from runs.submission.settings import Remark
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body, keys_twice

READ = (  # of a trigger's body
    *("ExperimentName", "Description", "DisplayName", "ParameterAssignments"),
    *("DataSetDefinitionValueAssignments", "DataPathAssignments", "Tags", "StepTags"),
    *("Properties", "RunSource", "RunType", "ContinueRunOnStepFailure", "continueOnStepFailure"),
    "ParentRunId",
)
READ_WITH_GRAPH = (  # of CreationInfo, which comes with a graph
    *("RunHistoryExperimentName", "Description", "DisplayName", "ParameterAssignments"),
    *("DataSetDefinitionValueAssignments", "DataPathAssignments", "Tags", "Properties"),
    *("RunSource", "RunType", "ContinueExperimentOnNodeFailure", "ContinueRunOnStepFailure"),
)
TRIGGER_ONLY = ("ParentRunId", "DisplayName")  # a stored submission makes many runs, later
# Sent by clients of v1, without effect here.
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


def step_tags(body: Body) -> dict[str, str]:
    found = body.texts("StepTags")
    if len(found) > MOST_STEP_TAGS:
        raise BadValue(f"StepTags may have at most {MOST_STEP_TAGS} tags.", target="StepTags")
    return found


def continue_on_step_failure(body: Body) -> bool | None:
    """From the SDK's key, else from Data Factory's."""
    return body.flag("ContinueRunOnStepFailure", body.flag("continueOnStepFailure"))


def remarks(
    body: Body,
    *,
    name: str = "The body",
    read: Collection[str] = READ,
    extras: Collection[str] = EXTRAS,
) -> dict[str, Remark]:
    """Remarks about unknown and repeated keys of the body, by key."""
    found: dict[str, Remark] = {}
    known = {key.lower() for key in (*read, *extras)}
    for key in body.raw:
        if len(found) == MOST:
            break
        if str(key).lower() not in known:
            fault = f"{name} has no key {key[:100]!r}"
            found[key[:100]] = Remark(fault, "it was ignored", _hint(key, read))
    for names in body.twice[:MOST]:
        which = " and ".join(each[:100] for each in names)
        named = f"has {which}" if len(names) > 1 else f"names {which} more than once"
        found[names[-1][:100]] = Remark(f"{name} {named}", "only the last one counts")
    for section in OBJECTS:
        for key in keys_twice(body.mapping(section))[:MOST]:
            fault = f"{section} names {key[:100]} more than once"
            found[key[:100]] = Remark(fault, "only the last value counts")
    return found


def remarks_of_kept(body: Body) -> dict[str, Remark]:
    """Remarks about a submission that a schedule or a draft stores."""
    unread = {
        key: Remark(f"{key} is read from the body of a trigger only", "it was ignored")
        for key in TRIGGER_ONLY
        if key in body
    }
    return remarks(body) | unread


def remarks_with_graph(body: Body, info: Body) -> dict[str, Remark]:
    """Remarks about a body that brings a graph, and about its CreationInfo."""
    parts = ("CreationInfo", "Graph", "GraphInterface")
    outer = remarks(body, read=parts, extras=("GraphLayout",))
    return outer | remarks(info, name="CreationInfo", read=READ_WITH_GRAPH)


def _hint(key: str, read: Collection[str]) -> str:
    if key.lower() in MEANT:
        return f" {MEANT[key.lower()]}"
    names = {name.lower(): name for name in read}
    close = difflib.get_close_matches(key[:100].lower(), names, n=1)
    return f" Did you mean {names[close[0]]}?" if close else ""
