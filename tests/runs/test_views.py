"""The pages of runs: what they show, whom they let in, and that they cost the same for many rows."""

import io
import zipfile
from datetime import timedelta

import pytest
from django import shortcuts
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from endpoints import data
from endpoints.models import PipelineEndpoint, PublishedPipeline
from runs import facts, filters, services, storage
from runs.models import Artifact, Experiment, Kind, Run, StepRun, Worker
from runs.states import Status
from runs.views import detail, home, lists, live, publish
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
PARAMETERS = [{"Name": "lr", "Type": "1", "DefaultValue": "0.01"}]


@pytest.fixture(autouse=True)
def storage_folder(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"


@pytest.fixture
def endpoint(workspace):
    steps, edges = ("prepare", "train"), [("prepare", "train")]
    return factories.endpoint(workspace, "churn", steps=steps, edges=edges, parameters=PARAMETERS)


@pytest.fixture
def run(actor, endpoint):
    return submit(actor, endpoint)


@pytest.fixture
def page(client, actor):
    """The text of a page, asked for by the actor's user."""
    client.force_login(actor.user)

    def get(name: str, *args, query: str = "", status: int = 200, **headers) -> str:
        response = client.get(reverse(f"runs:{name}", args=args) + query, headers=headers)
        assert response.status_code == status, response.content[:500]
        return response.content.decode()

    return get


def submit(actor, endpoint, **more) -> Run:
    return services.submit(actor, endpoint=endpoint, experiment="growth", **more)


def step_of(run: Run, name: str) -> Run:
    return Run.objects.select_related("step").get(parent=run, name=name)


def move(run: Run, *states: Status, **stamps) -> None:
    for state in states:
        assert Run.objects.move(run.pk, to=state, **stamps)
    run.refresh_from_db()


def complete(run: Run) -> Run:
    for step in Run.objects.filter(parent=run):
        move(step, Status.RUNNING, Status.COMPLETED)
    move(run, Status.RUNNING, Status.COMPLETED)
    return run


def write_log(run: Run, text: str) -> None:
    storage.LogWriter(run.uuid, storage.DRIVER_LOG, attempt=1).write(text.encode())


def keep(run: Run, path: str, content: bytes) -> Artifact:
    blob = storage.artifact_blob(run.uuid, path)
    size = storage.put_bytes(blob, content)
    return facts.note_artifact(run.pk, path=path, blob=blob, size=size)


# --- the list ------------------------------------------------------------------------------------
def test_the_list_polls_only_while_something_lives(page, run):
    assert 'hx-trigger="every 3s"' in page("run-list")
    complete(run)
    text = page("run-list")
    assert "every 3s" not in text
    assert str(run) in text
    assert "churn" in text


def test_a_poll_of_the_list_gets_the_table_alone(page, run):
    text = page("run-list", hx_request="true")
    assert "<html" not in text
    assert str(run) in text


@pytest.mark.parametrize("name", ["run-list", "home-running"])
def test_many_rows_cost_as_many_queries_as_few(page, actor, endpoint, name):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(name)
        return len(queries)

    for _number in range(3):
        submit(actor, endpoint)
    page(name)
    few = count()
    for _number in range(27):
        submit(actor, endpoint)
    assert count() == few <= 12


def test_selected_runs_are_canceled_and_finished_ones_left(page, client, actor, endpoint, run):
    done = complete(submit(actor, endpoint))
    page("run-list")
    chosen = {"selected": [str(run.uuid), str(done.uuid), "nonsense"]}
    address = reverse("runs:run-cancel-selected") + "?status=Running&q=churn"
    assert address.replace("&", "&amp;") in page("run-list", query="?status=Running&q=churn")
    question = client.post(address, chosen).content.decode()
    assert f"Cancel {run}?" in question
    assert str(run.uuid) in question
    assert str(done.uuid) not in question
    run.refresh_from_db()
    assert run.status == Status.NOT_STARTED
    reply = client.post(address, {**chosen, "confirmed": "1"})
    assert reply.headers["Location"] == reverse("runs:run-list") + "?status=Running&q=churn"
    run.refresh_from_db()
    done.refresh_from_db()
    assert run.status == Status.CANCELED
    assert done.status == Status.COMPLETED


def test_nonsense_in_the_address_is_the_first_page(page, run):
    for query in ("?before=x", "?after=" + "9" * 30, "?size=7", "?status=x&experiment=1"):
        assert str(run) in page("run-list", query=query)


def test_an_empty_list_says_whether_filters_emptied_it(page):
    for query in ("", "?q=", "?q=&status=&experiment="):
        assert "No run yet" in page("run-list", query=query)
    assert "No run matches" in page("run-list", query="?q=salt")


def test_an_old_experiment_is_offered_while_it_is_chosen(page, run, monkeypatch):
    monkeypatch.setattr(filters, "OFFERED", 1)
    Experiment.objects.create(workspace=run.workspace, name="newer")
    option = f'<option value="{run.experiment.uuid}"'
    assert option not in page("run-list")
    text = page("run-list", query=f"?experiment={run.experiment.uuid}")
    assert f"{option} selected>growth</option>" in text
    assert "Experiment: growth" in text


def test_templates_ask_nothing(page, client, actor, run, monkeypatch):
    done = complete(submit(actor, run.endpoint, tags={"team": "growth"}))
    keep(step_of(done, "train"), "outputs/a.txt", b"a")
    page("run-list")

    def refuse(execute, sql, *rest):
        raise AssertionError(f"a template asked: {sql}")

    def render(*given, **named):
        with connection.execute_wrapper(refuse):
            return shortcuts.render(*given, **named)

    for module in (home, lists, detail, live, publish):
        monkeypatch.setattr(module, "render", render)
    assert client.get("/").status_code == 200
    page("home-running")
    page("run-list")
    page("run-list", query=f"?experiment={run.experiment.uuid}&endpoint={run.endpoint.uuid}&q=c")
    page("run-publish", done.uuid)
    for shown in (run, done):
        for tab in TABS:
            page(f"run-{tab}", shown.uuid)
        for part in ("heading", "graph", "side", "steps"):
            page("run-live", shown.uuid, part)


# --- the page of a run ---------------------------------------------------------------------------
TABS = [
    *("detail", "steps", "outputs", "metrics", "images"),
    *("parameters", "snapshot", "details"),
]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_the_heading(page, run, tab):
    text = page(f"run-{tab}", run.uuid)
    assert str(run) in text
    assert "every 3s" in text
    complete(run)
    assert "every 3s" not in page(f"run-{tab}", run.uuid)


@pytest.mark.parametrize("tab", TABS)
def test_many_steps_cost_as_many_queries_as_few(page, actor, workspace, tab):
    def count(steps: int) -> int:
        names = tuple(f"step{number}" for number in range(steps))
        run = complete(submit(actor, factories.endpoint(workspace, steps=names)))
        page(f"run-{tab}", run.uuid)  # the graph is read once and kept
        with CaptureQueriesContext(connection) as queries:
            page(f"run-{tab}", run.uuid)
        return len(queries)

    assert count(3) == count(30) <= 15


def test_a_run_is_found_without_the_slash_and_a_step_in_its_run(page, client, run):
    assert str(run) in page("run-short", run.uuid)
    step = step_of(run, "train")
    page("run-list")
    for address in (f"/runs/{step.uuid}", f"/runs/{step.uuid}/"):
        response = client.get(address)
        assert response.headers["Location"] == f"/runs/{run.uuid}/?step={step.uuid}"


def test_a_failed_run_opens_with_what_failed(page, run):
    step = step_of(run, "prepare")
    Run.objects.filter(pk=step.pk).update(error="Traceback\nValueError: no <column>")
    StepRun.objects.filter(pk=step.pk).update(exit_code=3)
    move(step, Status.RUNNING, Status.FAILED)
    move(run, Status.RUNNING, Status.FAILED)
    write_log(step, "reading\nValueError: no <column>\n")
    text = page("run-detail", run.uuid)
    assert "Step prepare failed." in text
    assert "ValueError: no &lt;column&gt;" in text
    assert f"?step={step.uuid}#log" in text
    assert "Exit code 3." in text
    assert "<column>" not in text


def test_a_queued_step_says_what_it_waits_for(page, run):
    text = page("run-detail", run.uuid)
    assert "none is running; start one with" in text
    assert "worker --queues cpu-cluster" in text
    Worker.objects.create(name="w", role="worker", host="h", pid=1, queues=["cpu-cluster"], slots=3)
    assert "one of the 3 slots of queue cpu-cluster" in page("run-detail", run.uuid)
    train = step_of(run, "train")
    assert "Waiting for prepare." in page("run-detail", run.uuid, query=f"?step={train.uuid}")


def test_a_worker_that_fell_silent_does_not_count(page, run):
    Worker.objects.create(
        name="w",
        role="worker",
        host="h",
        pid=1,
        queues=["cpu-cluster"],
        heartbeat_at=timezone.now() - timedelta(minutes=5),
    )
    assert "none is running" in page("run-detail", run.uuid)


def test_a_reused_step_says_so_and_shows_the_log_of_the_other(client, page, actor, endpoint):
    first, other = complete(submit(actor, endpoint)), complete(submit(actor, endpoint))
    source = step_of(first, "prepare")
    write_log(source, "said by the first\n")
    keep(source, "outputs/model.txt", b"model")
    step = step_of(other, "prepare")
    StepRun.objects.filter(pk=step.pk).update(
        reused_from=source.step, reuse_reason="Reused: nothing changed."
    )
    text = page("run-detail", other.uuid, query=f"?step={step.uuid}")
    assert "Reused: nothing changed." in text
    assert "said by the first" in text
    assert "outputs/model.txt" in page("run-outputs", other.uuid)
    response = client.get(reverse("runs:run-file", args=[step.uuid, "outputs/model.txt"]))
    assert b"".join(response.streaming_content) == b"model"


def test_warnings_and_parameters(page, actor, endpoint):
    run = submit(actor, endpoint, assignments={"lr": "0.5", "lrr": "1"})
    text = page("run-parameters", run.uuid)
    assert "There is no parameter lrr. Did you mean lr?" in text
    assert "0.5" in text
    assert "Given by the caller" in text


def test_metrics_show_values_that_are_no_numbers(page, run):
    step = step_of(run, "train")
    facts.add_metric(
        step.pk, name="auc", points=[{"data": {"auc": "NaN"}}], columns={"auc": "double"}
    )
    points = [{"data": {"loss": value}} for value in (1.0, "Infinity", 0.5, "-Infinity", 0.25)]
    facts.add_metric(step.pk, name="loss", points=points, columns={"loss": "double"})
    image = f"aml://artifactId/ExperimentRun/dcid.{step.uuid}/plot.png"
    columns = {"plot": "Artifact"}
    facts.add_metric(step.pk, name="plot", points=[{"data": {"plot": image}}], columns=columns)
    text = page("run-metrics", run.uuid)
    assert "NaN" in text
    assert "-Infinity" in text
    assert "<polyline" in text
    assert "plot.png" not in text
    text = page("run-images", run.uuid)
    assert f'src="/runs/{step.uuid}/files/plot.png"' in text
    assert "Infinity" not in text


def test_parts_are_revalidated_and_end_with_the_run(page, client, run):
    page("run-detail", run.uuid)
    for part in ("heading", "graph", "side", "steps"):
        address = reverse("runs:run-live", args=[run.uuid, part])
        first = client.get(address, headers={"hx-request": "true"})
        assert "every 3s" in first.content.decode()
        assert first.headers["Cache-Control"] == "private, no-cache"
    complete(run)
    for part in ("heading", "graph", "side", "steps"):
        address = reverse("runs:run-live", args=[run.uuid, part])
        first = client.get(address)
        assert "every 3s" not in first.content.decode()
        again = client.get(address, headers={"if-none-match": first.headers["ETag"]})
        assert again.status_code == 304
    page("run-live", run.uuid, "nothing", status=404)


def test_the_heading_brings_the_commands_when_the_status_is_another(page, run):
    assert "run-commands" not in page("run-live", run.uuid, "heading", query="?shown=NotStarted")
    move(run, Status.RUNNING)
    assert 'hx-swap-oob="true"' in page("run-live", run.uuid, "heading", query="?shown=NotStarted")


# --- logs and files ------------------------------------------------------------------------------
def test_a_log_is_followed_by_bytes_until_its_step_has_ended(page, run):
    step = step_of(run, "prepare")
    move(step, Status.RUNNING)
    whole = "가 <b>\n".encode()
    storage.LogWriter(step.uuid, storage.DRIVER_LOG, attempt=1).write(whole[:2])
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "from=0" in text  # half a letter is left for the next time
    storage.LogWriter(step.uuid, storage.DRIVER_LOG, attempt=2).write(whole[2:])
    text = page("run-log", step.uuid, query="?from=0", hx_request="true")
    assert "가 &lt;b&gt;" in text
    assert f"from={len(whole)}" in text
    move(step, Status.COMPLETED)
    text = page("run-log", step.uuid, query=f"?from={len(whole)}", hx_request="true")
    assert "hx-get" not in text


def test_a_log_is_downloaded_whole(client, page, run):
    step = step_of(run, "prepare")
    write_log(step, "all of it\n")
    page("run-list")
    response = client.get(reverse("runs:run-log", args=[step.uuid]) + "?download=1")
    assert b"".join(response.streaming_content) == b"all of it\n"
    assert response.headers["Content-Disposition"].startswith("attachment")
    page("run-log", step.uuid, query="?file=../../secret", status=404)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("outputs/plot.png", ("image/png", "inline")),
        ("outputs/report.html", ("application/octet-stream", "attachment")),
        ("outputs/drawing.svg", ("image/svg+xml", "inline")),
        ("outputs/rows.csv", ("text/plain; charset=utf-8", "inline")),
    ],
)
def test_files_never_act_as_pages(client, page, run, path, answer):
    kind, place = answer
    step = step_of(run, "train")
    keep(step, path, b"<script>alert(1)</script>")
    page("run-list")
    response = client.get(reverse("runs:run-file", args=[step.uuid, path]))
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"].startswith(place)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"


def test_files_that_are_not_there_are_404(page, run):
    step = step_of(run, "train")
    artifact = keep(step, "outputs/gone.txt", b"x")
    Artifact.objects.filter(pk=artifact.pk).update(blob="runs/none/gone.txt")
    for name, path in (
        ("run-file", "outputs/gone.txt"),
        ("run-file", "nothing.txt"),
        ("run-data", "none/x.csv"),
        ("run-code", "none/x.py"),
    ):
        page(name, step.uuid if name != "run-code" else run.uuid, path, status=404)


@pytest.mark.parametrize(
    "path",
    [
        *("..%2f..%2fx", "/etc/passwd", "../x", "a%00b", "..%5c..%5cx", "a/%2e%2e/%2e%2e/x"),
        *("가" * 100, "x" * 300),
    ],
)
def test_a_path_that_leads_out_of_an_output_is_refused_with_the_reason(page, client, run, path):
    step = step_of(run, "train")
    place = {"datastore": "workspaceblobstore", "path": "runs/x/out"}
    StepRun.objects.filter(pk=step.pk).update(outputs={"out": place})
    page("run-list")
    for address in (f"/runs/{step.uuid}/data/out/{path}", f"/runs/{step.uuid}/files/{path}"):
        response = client.get(address)
        assert response.status_code == 400
        assert "is no relative path of a file" in response.content.decode()


@pytest.mark.parametrize("path", ["a.csv/x", "gone.csv", "a.csv%2fx"])
def test_what_is_not_in_an_output_is_404(page, client, run, path):
    step = step_of(run, "train")
    output = data.locate(run.workspace, "workspaceblobstore", "runs/x/out")
    output.child("runs/x/out/a.csv").write(io.BytesIO(b"a"))
    place = {"datastore": "workspaceblobstore", "path": "runs/x/out"}
    StepRun.objects.filter(pk=step.pk).update(outputs={"out": place})
    page("run-list")
    assert client.get(f"/runs/{step.uuid}/data/out/a.csv").status_code == 200
    assert client.get(f"/runs/{step.uuid}/data/out/{path}").status_code == 404


def test_downloads_answer_head(page, client, run):
    step = step_of(run, "train")
    keep(step, "outputs/a.txt", b"abc")
    write_log(step, "line\n")
    page("run-list")
    for address in (
        reverse("runs:run-file", args=[step.uuid, "outputs/a.txt"]),
        reverse("runs:run-log", args=[step.uuid]),
        reverse("runs:run-zip", args=[run.uuid]),
        reverse("runs:run-raw", args=[run.uuid]),
    ):
        response = client.head(address)
        assert response.status_code == 200
        assert not b"".join(response)
    assert client.post(address).status_code == 405


def test_all_files_come_as_one_archive(client, page, run):
    step = step_of(run, "train")
    write_log(step, "line\n")
    keep(step, "outputs/a.txt", b"a")
    page("run-list")
    response = client.get(reverse("runs:run-zip", args=[run.uuid]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    contents = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert contents == {storage.DRIVER_LOG: b"line\n", "outputs/a.txt": b"a"}


def test_another_workspace_sees_nothing(page):
    elsewhere = factories.workspace()
    other = factories.actor(elsewhere)
    run = submit(other, factories.endpoint(elsewhere, steps=("one",)))
    step = Run.objects.get(parent=run, kind=Kind.STEP)
    keep(step, "outputs/a.txt", b"a")
    for tab in TABS:
        page(f"run-{tab}", run.uuid, status=404)
    page("run-file", step.uuid, "outputs/a.txt", status=404)
    page("run-log", step.uuid, status=404)
    page("run-zip", run.uuid, status=404)
    page("run-live", run.uuid, "heading", status=404)
    page("run-cancel", run.uuid, status=404)
    assert str(run) not in page("run-list")


# --- verbs ---------------------------------------------------------------------------------------
def test_cancel_asks_first(page, client, run):
    assert f"Cancel {run}?" in page("run-cancel", run.uuid)
    address = reverse("runs:run-cancel", args=[run.uuid])
    assert client.post(address).headers["Location"] == f"/runs/{run.uuid}/"
    run.refresh_from_db()
    assert run.status == Status.CANCELED
    assert client.post(address).status_code == 409


def test_a_reader_may_look_and_not_touch(client, workspace, run):
    reader = factories.actor(workspace, Role.READER)
    client.force_login(reader.user)
    assert client.get(run.get_absolute_url()).status_code == 200
    for name in ("run-cancel", "run-resubmit", "run-publish"):
        assert client.post(reverse(f"runs:{name}", args=[run.uuid])).status_code == 403
    chosen = {"selected": [str(run.uuid)], "confirmed": "1"}
    assert client.post(reverse("runs:run-cancel-selected"), chosen).status_code == 403
    run.refresh_from_db()
    assert run.status == Status.NOT_STARTED


def resubmission(**changes) -> dict:
    given = {
        "experiment_choice": "existing",
        "experiment": "growth",
        "key": "k1",
        "param_lr": "0.5",
    }
    return given | changes


def test_resubmit_starts_from_the_runs_values_and_submits_once(page, client, actor, endpoint):
    run = submit(actor, endpoint, assignments={"lr": "0.5"}, tags={"team": "growth"})
    text = page("run-resubmit", run.uuid)
    assert 'value="0.5"' in text
    assert "team = growth" in text
    address = reverse("runs:run-resubmit", args=[run.uuid])
    first = client.post(address, resubmission(param_lr="0.25"))
    assert (
        client.post(address, resubmission(param_lr="0.25")).headers["Location"] == first["Location"]
    )
    made = Run.objects.filter(kind=Kind.PIPELINE).latest("pk")
    assert made.pipeline_run.original == run.pipeline_run
    assert made.pipeline_run.parameters == {"lr": "0.25"}
    assert made.endpoint == endpoint


def test_resubmit_refuses_a_value_of_another_type(page, client, run):
    page("run-list")
    address = reverse("runs:run-resubmit", args=[run.uuid])
    response = client.post(address, resubmission(param_lr="fast"))
    assert response.status_code == 200
    assert b"lr" in response.content
    assert Run.objects.filter(kind=Kind.PIPELINE).count() == 1


def publication(**changes) -> dict:
    return {"where": "new", "new_endpoint": "fresh", "name": "churn again"} | changes


def test_publish_a_completed_run_behind_a_new_endpoint(page, client, run):
    address = reverse("runs:run-publish", args=[complete(run).uuid])
    assert "Set as default pipeline" in page("run-publish", run.uuid)
    response = client.post(address, publication(continue_on_step_failure="on"))
    made = PublishedPipeline.objects.latest("pk")
    assert response.headers["Location"] == made.get_absolute_url()
    assert made.source_run_uuid == run.uuid
    assert made.graph == run.pipeline_run.graph
    assert made.continue_on_step_failure
    assert PipelineEndpoint.objects.get(name="fresh").default_version.pipeline == made


def test_publish_as_the_next_default_of_an_endpoint(page, client, endpoint, run):
    page("run-list")
    address = reverse("runs:run-publish", args=[complete(run).uuid])
    given = publication(where="existing", endpoint=str(endpoint.uuid), set_default="on")
    client.post(address, given)
    endpoint.refresh_from_db()
    assert endpoint.default_version.number == 1


@pytest.mark.parametrize(
    "wrong",
    [
        *({"new_endpoint": "churn"}, {"new_endpoint": ""}, {"new_endpoint": "a/b"}),
        *({"name": ""}, {"where": "existing"}),
    ],
)
def test_nothing_is_published_on_an_error(page, client, run, wrong):
    page("run-list")
    before = PublishedPipeline.objects.count(), PipelineEndpoint.objects.count()
    address = reverse("runs:run-publish", args=[complete(run).uuid])
    assert client.post(address, publication(**wrong)).status_code == 200
    assert (PublishedPipeline.objects.count(), PipelineEndpoint.objects.count()) == before


def test_a_run_that_has_not_completed_is_not_published(page, run):
    page("run-publish", run.uuid, status=409)


# --- home and admin ------------------------------------------------------------------------------
def test_the_name_of_a_target_is_taken_once_in_a_workspace(client, actor):
    client.force_login(actor.user)
    target = {"name": "gpu", "description": ""}
    assert client.post(reverse("runs:compute-new"), target).status_code == 302
    again = client.post(reverse("runs:compute-new"), target)
    assert again.status_code == 200
    assert "There is a target of this name already" in again.content.decode()


def test_home_shows_what_runs_what_failed_and_what_to_do(client, actor, endpoint, run):
    client.force_login(actor.user)
    failed = submit(actor, endpoint)
    move(failed, Status.RUNNING, Status.FAILED)
    text = client.get("/").content.decode()
    assert str(run) in text
    assert str(failed) in text
    assert "No worker is running" in text
    assert "/endpoints/churn/submit" in text


@pytest.mark.parametrize(
    "model",
    [
        *("run", "pipelinerun", "steprun", "stepattempt", "experiment", "statuschange"),
        *("runattribute", "metric", "metricvalue", "artifact", "worker"),
    ],
)
def test_admin_lists_every_model(admin_client, run, model):
    assert admin_client.get(reverse(f"admin:runs_{model}_changelist")).status_code == 200


def test_admin_cancels_through_the_service(admin_client, run):
    chosen = {"action": "cancel", "_selected_action": [run.pk]}
    admin_client.post(reverse("admin:runs_run_changelist"), chosen)
    run.refresh_from_db()
    assert run.status == Status.CANCELED
