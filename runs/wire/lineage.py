"""The datasets that a run read and registered (wire.md 9.2), for `Run.get_details()`."""

from endpoints import blueprints
from endpoints.graph import Port
from runs import script_runs
from runs.models import Kind, Run, StepRun


def step_of(run: Run) -> StepRun | None:
    """The step that a run is, or the single step of a script's run."""
    if run.kind == Kind.STEP:
        return run.step
    if script_runs.has_step(run):
        steps = StepRun.objects.select_related("run__parent__pipeline_run__graph")
        return steps.filter(run__parent=run, run__kind=Kind.STEP).first()
    return None


def lineage(step: StepRun | None) -> dict[str, list[dict]]:
    """`inputDatasets` are given by the pipeline or its caller, not by earlier steps;
    `outputDatasets` are those that the step registered."""
    read, made = {}, {}
    if step is not None:
        read = {port: place for port, place in step.inputs.items() if place.get("saved")}
        made = {port: place for port, place in step.outputs.items() if place.get("registered")}
    if not read and not made:
        return {"inputDatasets": [], "outputDatasets": []}
    graph = blueprints.load(step.run.parent.pipeline_run.graph.uuid).graph
    module = graph.nodes[step.node_id].module
    return {
        "inputDatasets": [
            {
                "identifier": {"savedId": place["saved"]},
                "consumptionType": "RunInput",
                "inputDetails": {
                    "inputName": port,
                    "mechanism": module.inputs.get(port, Port(port)).mode.capitalize(),
                    "pathOnCompute": module.inputs.get(port, Port(port)).path_on_compute,
                },
            }
            for port, place in read.items()
        ],
        "outputDatasets": [
            {
                "identifier": {"savedId": place["registered"]},
                "outputType": "RunOutput",
                "outputDetails": {
                    "outputName": port,
                    "mechanism": module.outputs.get(port, Port(port)).mode.capitalize(),
                },
            }
            for port, place in made.items()
        ],
    }
