"""The body that starts a run, as the page shows it to callers."""

from collections.abc import Iterable, Mapping

from endpoints.parameters import Kind, Parameter, datapath, registered_dataset


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
