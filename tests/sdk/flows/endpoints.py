"""Publish, put behind an endpoint, switch versions, disable: every method of both classes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from azureml.core import Experiment, Workspace
from azureml.pipeline.core import Pipeline, PipelineEndpoint, PipelineRun, PublishedPipeline
from azureml.pipeline.core.graph import PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()


def pipeline(text):
    step = PythonScriptStep(
        name="echo",
        script_name="echo.py",
        arguments=["--text", PipelineParameter("text", default_value=text)],
        compute_target="cpu-cluster",
        source_directory=STEPS,
    )
    return Pipeline(ws, steps=[step])


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# Published pipelines
published = pipeline("one").publish("echo-one", "says one", "1.0", continue_on_step_failure=True)
assert PublishedPipeline.get(ws, published.id).name == "echo-one"
assert published.id in [found.id for found in PublishedPipeline.list(ws)]
assert published.version == "1.0"
assert published.description == "says one"
assert published.continue_on_step_failure is True
assert published.total_run_steps == 1
assert published.endpoint.startswith("https://")
assert list(published.get_graph().node_name_dict) == ["echo"]
run = published.submit(ws, "endpoints", pipeline_parameters={"text": "hello"})
assert run.wait_for_completion(show_output=False) == "Finished"
assert "hello" in run.find_step_run("echo")[0].get_stdout_log()
assert run.id in [found.id for found in PipelineRun.get_pipeline_runs(ws, published.id)]
published.disable()
assert PublishedPipeline.get(ws, published.id).status == "Disabled"
assert published.id not in [found.id for found in PublishedPipeline.list(ws, active_only=True)]
assert published.id in [found.id for found in PublishedPipeline.list(ws, active_only=False)]
assert "disabled" in refused(lambda: published.submit(ws, "endpoints"))
published.enable()
assert published.submit(ws, "endpoints").wait_for_completion(show_output=False) == "Finished"

# Endpoints
endpoint = PipelineEndpoint.publish(ws, name="echo", pipeline=published, description="an echo")
assert endpoint.default_version == "0"
assert endpoint.description == "an echo"
assert endpoint.endpoint.startswith("https://")
assert "already exists" in refused(
    lambda: PipelineEndpoint.publish(ws, name="echo", pipeline=published, description="again")
)
endpoint.add(pipeline("two").publish("echo-two", "says two", "2.0"))
endpoint = PipelineEndpoint.get(ws, name="echo")
assert [version.version for version in endpoint.list_versions()] == ["0", "1"]
assert endpoint.default_version == "0"
endpoint.add_default(pipeline("three").publish("echo-three", "says three", "3.0"))
endpoint = PipelineEndpoint.get(ws, id=endpoint.id)
assert endpoint.default_version == "2"
assert endpoint.get_pipeline("1").name == "echo-two"
assert endpoint.get_pipeline().name == "echo-three"
assert {found.name for found in endpoint.list_pipelines()} == {"echo-one", "echo-two", "echo-three"}
endpoint.set_default_version("1")
assert PipelineEndpoint.get(ws, name="echo").default_version == "1"
endpoint.set_default(published)
assert PipelineEndpoint.get(ws, name="echo").default_version == "0"
for version, said in (("1", "two"), (None, "one")):
    run = PipelineEndpoint.get(ws, name="echo").submit("endpoints", pipeline_version=version)
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert said in run.find_step_run("echo")[0].get_stdout_log()
by_experiment = Experiment(ws, "endpoints").submit(PipelineEndpoint.get(ws, name="echo"))
assert by_experiment.wait_for_completion(show_output=False) == "Finished"
assert "echo" in [found.name for found in PipelineEndpoint.list(ws)]


# Some who add a version at once: whoever read the endpoint before another wrote it is told, and
# adds it again; nothing is lost
def add_at_once(pipelines):
    """Which of the pipelines were not taken; `add` reads the endpoint and writes it back."""
    together = threading.Barrier(len(pipelines))

    def add(found):
        mine = PipelineEndpoint.get(ws, name="echo")
        together.wait()
        try:
            mine.add(found)
        except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
            assert error.response.status_code == 409, error
            assert "read it again" in str(error), error
            return found
        return None

    with ThreadPoolExecutor(len(pipelines)) as people:
        return [found for found in people.map(add, pipelines) if found]


def versions():
    return [found.version for found in PipelineEndpoint.get(ws, name="echo").list_versions()]


for number in range(20):
    names = [f"echo-rival-{number}-{rival}" for rival in range(4)]
    rivals = [pipeline("rival").publish(name, "adds itself", "4.0") for name in names]
    before, stale = len(versions()), add_at_once(rivals)
    assert len(versions()) == before + len(rivals) - len(stale), "those not told are there"
    if stale:
        break
assert stale, "nobody ever was too late"
before = len(versions())
for late in stale:
    PipelineEndpoint.get(ws, name="echo").add(late)
assert versions() == [str(number) for number in range(before + len(stale))]
assert {rival.id for rival in rivals} <= {
    found.id for found in PipelineEndpoint.get(ws, name="echo").list_pipelines()
}

# Switched off, renamed, archived
endpoint = PipelineEndpoint.get(ws, name="echo")
endpoint.disable()
assert "echo" not in [found.name for found in PipelineEndpoint.list(ws, active_only=True)]
assert "Active" in refused(lambda: PipelineEndpoint.get(ws, name="echo").submit("endpoints"))
endpoint.enable()
endpoint.set_name("echo-renamed")
assert PipelineEndpoint.get(ws, name="echo-renamed").id == endpoint.id
endpoint.archive()
assert "echo-renamed" not in [found.name for found in PipelineEndpoint.list(ws, active_only=True)]
archived = PipelineEndpoint.get(ws, id=endpoint.id)
assert archived.status == "Disabled"
archived.reactivate("echo-again")
assert PipelineEndpoint.get(ws, name="echo-again").status == "Active"
