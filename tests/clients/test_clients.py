"""The published client samples, compiled and run against a real studio over https."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing

HERE = Path(__file__).parent
GSON = Path("/usr/share/java/gson.jar")


def run(*command: str, env: dict | None = None) -> str:
    """What the program prints; its errors fail the test."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=env
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def endpoint(live_studio) -> dict:
    """The `compare` endpoint, as the catalogue shows it."""
    status, entity = live_studio.get(f"{live_studio.pipelines}/PipelineEndpoints/Name?Name=compare")
    assert status == 200, entity
    return entity


def trigger_url(live, endpoint: dict) -> str:
    return f"{live.https}{live.pipelines}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint['Id']}"


def check_run(live, run_id: str, *, value: str, experiment: str):
    """The run the client was told of exists, with the value it sent, and finishes."""
    status, entity = live.get(f"{live.pipelines}/PipelineRuns/{run_id}")
    assert status == 200
    assert entity["ParameterAssignments"]["pipeline_arg"] == value
    assert entity["RunHistoryExperimentName"] == experiment
    assert live.wait(run_id)["Status"]["StatusCode"] == "Finished"


def test_python_requests(live_studio, endpoint, tmp_path):
    python = with_requests(tmp_path)
    run_id = run(
        *python,
        str(HERE / "python" / "trigger.py"),
        *(trigger_url(live_studio, endpoint), live_studio.token, "My_Pipeline", "20"),
        env={"REQUESTS_CA_BUNDLE": str(live_studio.ca_bundle), "PATH": "/usr/bin:/bin"},
    )
    check_run(live_studio, run_id, value="20", experiment="My_Pipeline")


def test_csharp(live_studio, endpoint, tmp_path, require):
    compiler, mono, trust = require("mcs"), require("mono"), require("cert-sync")
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}  # Mono's own trust store is in it
    run(trust, "--user", "--quiet", str(live_studio.ca_bundle), env=home)
    program = tmp_path / "Trigger.exe"
    references = ["-r:System.Net.Http.dll", "-r:System.Runtime.Serialization.dll", newtonsoft()]
    run(compiler, f"-out:{program}", *references, str(HERE / "csharp" / "Trigger.cs"))
    # Mono does not know addresses in certificates, only names.
    url = trigger_url(live_studio, endpoint).replace("127.0.0.1", "localhost")
    run_id = run(
        *(mono, str(program), url),
        *(live_studio.token, "YourExperimentName", "21"),
        env=home,
    )
    check_run(live_studio, run_id, value="21", experiment="YourExperimentName")


def test_java(live_studio, endpoint, tmp_path, require):
    javac, java, keytool = require("javac"), require("java"), require("keytool")
    if not GSON.exists():
        missing("gson")
    trust = trust_store(keytool, live_studio, tmp_path)
    run(javac, "-cp", str(GSON), "-d", str(tmp_path), str(HERE / "java" / "Trigger.java"))
    body = '{ "ExperimentName" : "My_Pipeline", "ParameterAssignments" : { "pipeline_arg" : "22" }}'
    run_id = run(
        *(java, "-cp", f"{GSON}:{tmp_path}", f"-Djavax.net.ssl.trustStore={trust}"),
        *("-Djavax.net.ssl.trustStorePassword=changeit", "Trigger"),
        *(live_studio.https.removeprefix("https://"), "your-tenant-id", "your-client-id"),
        *(live_studio.token, "https://management.azure.com"),
        *(trigger_url(live_studio, endpoint), body),
    )
    check_run(live_studio, run_id, value="22", experiment="My_Pipeline")


def with_requests(folder: Path) -> list[str]:
    """A Python of its own that has requests: the studio itself does without."""
    uv = shutil.which("uv") or missing("uv")
    home = folder / "venv"
    run(uv, "venv", "--quiet", "--python", sys.executable, str(home))
    run(uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), "requests")
    return [str(home / "bin" / "python")]


def newtonsoft() -> str:
    found = sorted(Path("/usr/lib/mono").glob("**/Newtonsoft.Json.dll"))
    if not found:
        missing("Newtonsoft.Json")
    return f"-r:{found[0]}"


def trust_store(keytool: str, live, folder: Path) -> Path:
    """A Java trust store with the studio's own authority in it, and nothing else."""
    store = folder / "trust.p12"
    authority = next(live.data.glob("tls/ca*.crt"), None) or next(live.data.glob("tls/ca.pem"))
    run(
        *(keytool, "-importcert", "-noprompt", "-alias", "studio", "-file", str(authority)),
        *("-keystore", str(store), "-storetype", "PKCS12", "-storepass", "changeit"),
    )
    return store
