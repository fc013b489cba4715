"""`manage.py up` as a person meets it: first start, refusals, crashes, and an end without leftovers."""

import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.studio import ROOT, free_port, outside_environment
from tests.supervisor.marked import MarkedStudio
from tests.waiting import wait_for


def run_up(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "up", *arguments],
        cwd=ROOT,
        env=outside_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_ports() -> list[str]:
    return ["--port", str(free_port()), "--tls-port", str(free_port())]


def assert_refused(done: subprocess.CompletedProcess, *words: str):
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_first_start_tells_the_addresses_the_sign_in_and_the_next_steps(live):
    printed = live.printed()
    assert live.http in printed and live.https in printed
    assert printed.count(live.password) == 1
    assert "admin" in printed and "sdkenv" in printed and "curl" not in printed  # no sample to run


def test_the_password_is_kept_nowhere(live):
    assert len(live.password) >= 16
    for file in live.data.rglob("*"):
        if file.is_file():
            assert live.password.encode() not in file.read_bytes(), file


def test_https_is_verified_strictly_with_our_bundle(live):
    context = ssl.create_default_context(cafile=str(live.ca_bundle))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with urllib.request.urlopen(f"{live.https}/healthz", context=context) as answer:  # noqa: S310
        assert answer.status == 200


def test_everything_it_writes_is_readable_by_its_owner_alone(live):
    assert live.data.stat().st_mode & 0o077 == 0
    for secret in ("keys/secret_key", "tls/ca.key", "tls/server.key", "redis/url", "up.pid"):
        assert (live.data / secret).stat().st_mode & 0o077 == 0, secret


def test_static_files_are_served_from_the_first_start_on(live):
    names = json.loads((live.data / "static" / "staticfiles.json").read_text())["paths"]
    assert live.get(f"/static/{next(iter(names.values()))}")[0] == 200


def test_token_prints_the_token_alone(live):
    assert re.fullmatch(r"studio_[A-Za-z0-9_-]{43}\n", live.manage("token", "ci", "--days", "2"))


def test_sdkenv_prints_exports_that_a_shell_takes(live, tmp_path):
    printed = live.manage("sdkenv", "--write-config", str(tmp_path))
    values = {}
    for line in printed.splitlines():
        export, assignment = shlex.split(line)
        assert export == "export"
        name, _, values[name] = assignment.partition("=")
    assert values["ARM_CLOUD_METADATA_URL"] == f"{live.https}/metadata/endpoints"
    assert values["AZUREML_SERVICE_PRINCIPAL_PASSWORD"].startswith("studio_")
    assert values["SSL_CERT_FILE"] == values["REQUESTS_CA_BUNDLE"] == str(live.ca_bundle)
    clouds = Path(values["AZURE_CONFIG_DIR"])  # of this studio at this address, and not made
    assert clouds == live.data / "clouds" / live.https.removeprefix("https://").replace(":", "-")
    assert not clouds.exists()
    assert '"workspace_name": "studio"' in (tmp_path / ".azureml" / "config.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["token", "ci", "--user", "nobody"], "nobody"),
        (["token", "ci", "--endpoint", "no-such"], "no-such"),
        (["token", "ci", "--days", "0"], "--days"),
        (["sdkenv", "--workspace", "elsewhere"], "elsewhere"),
    ],
)
def test_a_token_for_what_is_not_there_is_refused_in_one_line(live, arguments, words):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--data", str(live.data)],
        cwd=ROOT,
        env=outside_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert words in done.stderr and len(done.stderr.splitlines()) == 1


def test_second_up_on_the_same_data_names_the_process_that_holds_it(live):
    done = run_up("--data", str(live.data), *free_ports())
    assert_refused(done, str(live.data), str(live.process.pid))


@pytest.mark.parametrize("taken", ["--port", "--tls-port"])
def test_a_port_in_use_is_named(live, tmp_path, taken):
    ports = dict(zip(["--port", "--tls-port"], free_ports()[1::2], strict=True))
    ports[taken] = str(live.port)
    done = run_up("--data", str(tmp_path), *(part for pair in ports.items() for part in pair))
    assert_refused(done, str(live.port), "in use", taken)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    done = run_up("--data", str(tmp_path / "file" / "data"), *free_ports())
    assert_refused(done, str(tmp_path / "file" / "data"))


def test_a_data_folder_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / "version").write_text("99\n")
    assert_refused(run_up("--data", str(tmp_path), *free_ports()), "newer", "99")
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "8100", "--tls-port", "8100"],
        ["--port", "70000"],
        ["--host", "203.0.113.1"],
        ["--workers", "0"],
    ],
)
def test_nonsense_options_are_refused(tmp_path, arguments):
    assert_refused(run_up("--data", str(tmp_path), *arguments), arguments[0])


@pytest.mark.parametrize("name", ["web", "worker", "control", "-server"])
def test_a_crashed_child_is_noticed_logged_and_started_again(live, name):
    pid = live.pid_of(name)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: f"(pid {pid}) ended with SIGKILL" in live.printed(), seconds=5, what="a line")
    assert f"(pid {pid}) ended with SIGKILL" in (live.data / "logs" / "up.log").read_text()
    wait_for(lambda: live.pid_of(name), seconds=10, what="the restart")
    live.wait_healthy(30)


def test_stop_and_second_start_continue_where_it_was(live):
    before = live.printed()
    live.stop()
    assert live.process.returncode == 0
    assert not live.processes()
    live.start()
    assert live.get("/healthz")[0] == 200
    assert live.password not in live.printed().removeprefix(before)
    assert live.call("GET", "/subscriptions", token=live.token)[0] == 200


SLEEPER = """
import os, subprocess
subprocess.Popen(["sleep", "3600"], start_new_session=True)
os.execvp("sleep", ["sleep", "3600"])
"""
SLEEPING = """
pipeline:
  name: sleeping
  default_compute: cpu-cluster
  steps:
    sleep:
      type: PythonScriptStep
      name: sleep
      script_name: sleep_an_hour.py
      source_directory: .
"""


@pytest.fixture
def sleeping(live, tmp_path):
    """A run with a step that sleeps for an hour, beside a process in a session of its own."""
    (tmp_path / "sleep_an_hour.py").write_text(SLEEPER)
    (tmp_path / "pipeline.yml").write_text(SLEEPING)
    live.manage("publish", str(tmp_path), "--endpoint", tmp_path.name)
    run = live.trigger(tmp_path.name)
    wait_for(lambda: len(sleepers()) == 2, seconds=60, what="the start of the step")
    yield
    live.call("DELETE", f"{live.pipelines}/PipelineRuns/{run}/Execution")
    live.wait(run)


def sleepers() -> list[int]:
    """The step's process and the one it started; steps do not inherit the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", b"3600"]:
            found.append(int(folder.name))
    return found


def test_stop_with_a_step_that_sleeps_for_an_hour_leaves_nothing(live, sleeping):
    live.stop()
    assert not live.processes() and not sleepers()
    live.start()
    wait_for(lambda: len(sleepers()) == 2, seconds=30, what="the next attempt of the step")


def test_killing_up_with_a_step_that_sleeps_for_an_hour_leaves_nothing(live, sleeping):
    live.process.kill()
    live.process.wait()
    wait_for(lambda: not live.processes() and not sleepers(), seconds=15, what="the end of all")
    live.start()


def test_killing_up_itself_ends_every_child(live):
    live.process.kill()
    live.process.wait()
    wait_for(lambda: not live.processes(), seconds=10, what="the end of every child")
    live.start()


def test_socket_finds_another_place_when_the_path_of_the_data_folder_is_long(tmp_path):
    folder = tmp_path / ("deep" * 20) / ("er" * 30)
    folder.mkdir(parents=True)
    studio = MarkedStudio(folder)
    with studio:
        assert studio.get("/healthz")[0] == 200
        assert str(studio.data) not in (studio.data / "redis" / "url").read_text()
        assert studio.manage("token", "ci").startswith("studio_")
    assert not studio.processes()
