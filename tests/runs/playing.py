"""Whole runs played with a loop and no queue: steps end as a script says."""

from runs import engine
from runs.models import Kind, Outcome, Run
from tests import factories


def start(actor, **parts) -> Run:
    """A submitted run of a graph of `factories.graph`; arguments of `submit` may be among the parts."""
    of_graph = {
        key: parts.pop(key) for key in ("steps", "edges", "parameters", "graph") if key in parts
    }
    graph = of_graph.pop("graph", None) or factories.graph(actor.workspace, **of_graph)
    return factories.run(actor, experiment="test", graph=graph, **parts)


def take(worker: str = "worker-1") -> engine.Claim | None:
    return engine.claim(worker, ["cpu-cluster"])


def name_of(claim: engine.Claim) -> str:
    return Run.objects.get(pk=claim.step_id).name


def play(run: Run, outcomes: dict[str, list[Outcome]] | None = None) -> list[str]:
    """Do every step there is; `outcomes` are the ends of a step's attempts, Completed where none is
    left. Returns the names of the steps in the order in which they were done."""
    outcomes = {name: list(ends) for name, ends in (outcomes or {}).items()}
    done = []
    while (claim := take()) is not None:
        name = name_of(claim)
        done.append(name)
        ends = outcomes.get(name) or [Outcome.COMPLETED]
        engine.finish(claim, ends.pop(0), error="as scripted")
        engine.advance(claim.run_id)
    run.refresh_from_db()
    return done


def statuses(run: Run) -> dict[str, str]:
    return dict(Run.objects.filter(parent=run, kind=Kind.STEP).values_list("name", "status"))
