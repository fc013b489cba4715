"""The body that starts a run, as the page shows it to callers."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy

from endpoints.parameters import Kind, Parameter, datapath, registered_dataset

# Key, type and meaning of the request body (wire.md 7).
BODY_KEYS = (
    (
        "ExperimentName",
        "string",
        gettext_lazy("The experiment of the run; by default one with the name of the endpoint or pipeline."),
    ),
    ("Description", "string", gettext_lazy("A sentence about the run.")),
    ("Tags", "object", gettext_lazy("Texts by name; runs can be searched by them.")),
    (
        "ParameterAssignments",
        "object",
        gettext_lazy("Values by parameter name, as texts or bare numbers, whose spelling is kept. Parameters that are not named keep their default."),
    ),
    (
        "DataSetDefinitionValueAssignments",
        "object",
        gettext_lazy("Datasets by parameter name: a saved one by id, or a registered name and version."),
    ),
    (
        "DataPathAssignments",
        "object",
        gettext_lazy("A datastore and a path on it, by parameter name."),
    ),
    ("StepTags", "object", gettext_lazy("Texts by name, which every step of the run is tagged with.")),
    ("ContinueRunOnStepFailure", "boolean", gettext_lazy("Whether steps that do not depend on a failed one continue.")),
    ("ParentRunId", "string", gettext_lazy("The run that this one is shown below.")),
    ("RunSource", "string", gettext_lazy("Who calls, as free text; stored with the run.")),
)  # fmt: skip


def trigger_body(experiment: str, parameters: Iterable[Parameter]) -> dict:
    body: dict = {"ExperimentName": experiment}
    for parameter in parameters:
        body.setdefault(parameter.section, {})[parameter.name] = example(parameter)
    return body


def example(parameter: Parameter):
    """The default as a caller would write it, or a placeholder if it may not be shown."""
    if parameter.secret or parameter.default is None:
        return _placeholder(parameter)
    if isinstance(parameter.default, Mapping):
        return dict(parameter.default)
    return parameter.default_text


def _placeholder(parameter: Parameter):
    if parameter.kind is Kind.DATASET:
        return registered_dataset("<dataset>", "<version>")
    if parameter.kind is Kind.DATAPATH:
        return datapath("<datastore>", "<path>")
    return f"<{parameter.kind}>"
