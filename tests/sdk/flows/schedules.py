"""Schedules of a pipeline and of an endpoint: at set times and at changes of a datastore."""

import time
from datetime import UTC, datetime
from pathlib import Path

import requests
from azureml.core import Workspace
from azureml.pipeline.core import (
    Pipeline,
    PipelineEndpoint,
    PipelineParameter,
    PublishedPipeline,
    Schedule,
    ScheduleRecurrence,
    TimeZone,
)
from azureml.pipeline.steps import PythonScriptStep

ws = Workspace.from_config()
store = ws.get_default_datastore()


def wait_for(question):
    """What `question` answers as soon as it answers anything."""
    deadline = time.monotonic() + 60
    while not (answer := question()):
        assert time.monotonic() < deadline, "nothing came within a minute"
        time.sleep(0.5)
    return answer


def ids(schedules):
    return [schedule.id for schedule in schedules]


Path("scheduled").mkdir()
Path("scheduled/go.py").write_text("import sys\nprint(sys.argv)\n")
step = PythonScriptStep(
    name="go",
    script_name="go.py",
    source_directory="scheduled",
    arguments=["--epochs", PipelineParameter("epochs", default_value=3)],
    compute_target="cpu-cluster",
    allow_reuse=False,
)
pipeline = Pipeline(ws, [step]).publish("scheduled")
endpoint = PipelineEndpoint.publish(ws, "scheduled", pipeline=pipeline, description="by schedules")

# A start in the future does not fire
weekly = Schedule.create(
    ws,
    name="weekly",
    pipeline_id=pipeline.id,
    experiment_name="on-schedule",
    description="twice a week",
    pipeline_parameters={"epochs": 4},
    wait_for_provisioning=True,
    recurrence=ScheduleRecurrence(
        frequency="Week",
        interval=2,
        week_days=["Monday", "Friday"],
        time_of_day="06:30",
        start_time="2040-01-01T00:00:00",
        time_zone=TimeZone.KoreaStandardTime,
    ),
)
assert weekly.status == "Active" and weekly.description == "twice a week"
assert weekly.get_last_pipeline_run() is None and weekly.get_pipeline_runs() == []
read = Schedule.get(ws, weekly.id).recurrence
assert (read.frequency, read.interval, read.start_time) == ("Week", 2, "2040-01-01T00:00:00")
assert (read.hours, read.minutes, read.week_days) == ([6], [30], ["Monday", "Friday"])
assert read.time_zone == TimeZone.KoreaStandardTime
assert ids(Schedule.get_schedules_for_pipeline_id(ws, pipeline.id)) == [weekly.id]

# Zones that Windows no longer has
for zone in (TimeZone.MidAtlanticStandardTime, TimeZone.KamchatkaStandardTime):
    weekly.update(recurrence=ScheduleRecurrence("Day", 1, "2040-01-01T00:00:00", zone))
    assert Schedule.get(ws, weekly.id).recurrence.time_zone == zone

weekly.disable(wait_for_provisioning=True)
assert Schedule.get(ws, weekly.id).status == "Disabled"
assert weekly.id not in ids(Schedule.list(ws))
assert weekly.id in ids(Schedule.list(ws, active_only=False))
weekly.enable()
assert weekly.id in ids(Schedule.list(ws))
weekly.update(
    name="hourly",
    description="every hour",
    recurrence=ScheduleRecurrence("Hour", 1),
    pipeline_parameters={"epochs": 9},
    continue_on_step_failure=True,
)
changed = Schedule.get(ws, weekly.id)
assert (changed.name, changed.description) == ("hourly", "every hour")
assert changed.recurrence.frequency == "Hour" and changed.continue_on_step_failure is True
changed.disable()

# Without a start it fires at once
now = Schedule.create_for_pipeline_endpoint(
    ws,
    name="now",
    pipeline_endpoint_id=endpoint.id,
    experiment_name="on-schedule",
    recurrence=ScheduleRecurrence("Day", 1),
    pipeline_parameters={"epochs": 5},
)
assert ids(Schedule.get_schedules_for_pipeline_endpoint_id(ws, endpoint.id)) == [now.id]
run = wait_for(now.get_last_pipeline_run)
assert run.wait_for_completion(show_output=False) == "Finished"
assert run.experiment.name == "on-schedule"
assert ids(now.get_pipeline_runs()) == [run.id]
now.disable()

# Changes of a datastore, and the path handed to the run; the pipeline is a sample's
(with_path,) = [row for row in PublishedPipeline.list(ws) if row.name == "datapath"]
watching = Schedule.create(
    ws,
    name="files",
    pipeline_id=with_path.id,
    experiment_name="on-schedule",
    datastore=store,
    polling_interval=2,
    path_on_datastore="incoming",
    data_path_parameter_name="input_datapath",
)
assert (watching.datastore_name, watching.path_on_datastore) == ("workspaceblobstore", "incoming")
here = pipeline.endpoint.partition("/PipelineRuns/")[0]


def asked(path):
    headers = ws._auth_object.get_authentication_header()
    return requests.get(f"{here}/{path}", headers=headers, timeout=30).json()


def looked():
    """Whether the next look is not due any more, since the last one was made."""
    entity = asked(f"Schedules/{watching.id}")
    return datetime.fromisoformat(entity["NextTime"]) > datetime.now(UTC)


wait_for(looked)  # which takes stock
store.upload_files(["scheduled/go.py"], target_path="incoming", show_progress=False)
watching.update(polling_interval=1)  # looks at once
assert Schedule.get(ws, watching.id).polling_interval == 1
run = wait_for(watching.get_last_pipeline_run)
assert run.wait_for_completion(show_output=False) == "Finished"
entity = asked(f"PipelineRuns/{run.id}")
assert entity["ScheduleId"] == watching.id
assert entity["DataPathAssignments"]["input_datapath"]["RelativePath"] == "incoming/go.py"
watching.disable()
