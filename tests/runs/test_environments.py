"""Environments: what a definition asks for, and real builds by uv."""

import json
import os
import signal
import subprocess
import sys
import threading
import tomllib
import zipfile

import pytest

from runs.steps.environments import (
    BuildFailed,
    BuildStopped,
    EnvironmentRefused,
    EnvironmentSpec,
    build,
    ensure,
    interpreters,
    parse,
    surroundings,
)
from tests.runs.processes import wait_for_end

SDK_DEFAULT = {
    "name": "project environment",
    "python": {
        "userManagedDependencies": False,
        "interpreterPath": "python",
        "condaDependencies": {
            "dependencies": ["python=3.8.13", {"pip": ["azureml-defaults"]}],
            "channels": ["anaconda", "conda-forge"],
        },
    },
    "environmentVariables": {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"},
    "docker": {"baseImage": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20250101"},
}


def definition(*dependencies, pip=(), **rest):
    entries = [*dependencies, *([{"pip": list(pip)}] if pip else [])]
    return {"python": {"condaDependencies": {"dependencies": entries}}, **rest}


def test_no_definition_asks_for_nothing():
    assert parse(None).requirements == ()
    assert parse({}).python is None


def test_default_of_the_sdk_asks_for_a_python_and_no_package():
    spec = parse(SDK_DEFAULT)
    assert (spec.python, spec.requirements, spec.warnings) == ("3.8.13", (), ())
    assert spec.variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}


def test_keys_are_read_in_the_casing_of_a_registered_environment():
    spec = parse({"Name": "x", "EnvironmentVariables": {"A": 1}, "Docker": {"BaseImage": "mine:1"}})
    assert spec.variables == {"A": "1"}
    assert "mine:1" in spec.warnings[0]


@pytest.mark.parametrize(
    "package",
    ["azureml-core~=1.61", "azureml_defaults", "azureml-dataset-runtime[fuse]", "AzureML-Dataprep"],
)
def test_azureml_packages_are_met_by_ours(package):
    assert parse(definition(pip=[package])).requirements == ()


def test_pandas_extra_of_a_met_package_is_kept():
    assert parse(definition(pip=["azureml-dataprep[pandas,fuse]"])).requirements == ("pandas",)


def test_real_azureml_is_installed_when_the_setting_or_the_environment_asks():
    named = definition(pip=["azureml-defaults"])
    asking = {"environmentVariables": {"STUDIO_AZUREML": "real"}}
    assert parse(named, real_azureml=True).requirements == ("azureml-defaults",)
    assert parse(named | asking).requirements == ("azureml-defaults",)
    assert parse(asking).requirements == ("azureml-core",)
    assert parse({}, real_azureml=True).requirements == ()


@pytest.mark.parametrize(
    ("conda", "requirement"),
    [
        ("numpy", "numpy"),
        ("numpy=1.21", "numpy==1.21.*"),
        ("numpy=1.21.0=py38_0", "numpy==1.21.0"),
        ("numpy==1.21.0", "numpy==1.21.0"),
        ("numpy 1.21.*", "numpy==1.21.*"),
        ("numpy>=1.2, <2", "numpy<2,>=1.2"),
        ("conda-forge::pytorch", "torch"),
        ("librosa", "librosa"),
    ],
)
def test_conda_packages_come_from_the_index_by_name(conda, requirement):
    assert parse(definition("pip", conda)).requirements == (requirement,)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (definition("cudatoolkit=11.3"), "cudatoolkit=11.3"),
        (definition("r-base"), "r-base"),
        (definition("numpy[version='>1']"), "numpy["),
        (definition("python=latest"), "python=latest"),
        (definition(5), "5"),
        (definition({"npm": ["left-pad"]}), "npm"),
        (definition(pip=["-r requirements.txt"]), "-r requirements.txt"),
        (definition(pip=["-e ."]), "-e ."),
        (definition(pip=["--extra-index-url https://h/${UV_TOKEN}/simple"]), "${UV_TOKEN}"),
        (definition(pip=["x @ https://h/${SECRET}/x-1.zip"]), "${SECRET}"),
        (definition(pip=["git+ssh://git@h/x.git"]), "SSH key"),
        (definition(pip=["x @ git+ssh://git@h/x.git"]), "SSH key"),
        (definition(pip=["./local.whl"]), "./local.whl"),
        (definition(pip=["x @ file:///etc/passwd"]), "file:///etc/passwd"),
        (definition(pip=["a\n-r /etc/passwd"]), "more than one line"),
        (definition(pip=[None]), "None"),
        ({"python": {"condaDependencies": {"dependencies": "numpy"}}}, "must be a list"),
        ({"python": {"condaDependenciesFile": "conda.yml"}}, "conda.yml"),
        ({"python": [1]}, "must be a mapping"),
        ({"environmentVariables": ["A"]}, "must be a mapping"),
        ({"environmentVariables": {"A=B": "1"}}, "A=B"),
        ({"r": {"rVersion": "3"}}, "R"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(bad, named):
    with pytest.raises(EnvironmentRefused) as refusal:
        parse(bad)
    assert named in refusal.value.message


def test_index_options_reach_the_installer():
    pip = ["--extra-index-url https://index.example/simple", "--pre", "six"]
    spec = parse(definition(pip=pip))
    assert spec.options == ("--extra-index-url https://index.example/simple", "--pre")


def test_the_package_index_by_its_old_name_is_the_index_we_have():
    old = "https://pypi.python.org/simple"
    pip = [f"--find-links {old}/index.html", f"--extra-index-url {old}", "six"]
    spec = parse(definition(pip=pip))
    assert (spec.options, spec.requirements) == ((), ("six",))


def test_packages_that_the_definition_leaves_to_its_image_are_warned_of():
    spec = parse({"python": {"userManagedDependencies": True}})
    assert "userManagedDependencies" in spec.warnings[0]


def test_content_hash_ignores_order_and_variables():
    one = parse(definition(pip=["a", "b"], environmentVariables={"X": "1"}))
    other = parse(definition(pip=["b", "a"]))
    assert one.content_hash == other.content_hash != parse(definition(pip=["a"])).content_hash


def make(spec, root, **options):
    lines = []
    return ensure(spec, root=root, log=lines.append, **options), lines


def test_nothing_asked_shares_one_bare_environment(tmp_path):
    built, _ = make(parse(None), tmp_path)
    shared, lines = make(
        parse(definition(f"python={sys.version_info[0]}.{sys.version_info[1]}")), tmp_path
    )
    assert built.python == shared.python
    assert lines == []
    assert built.needs_featherweight
    code = "import sys; assert sys.prefix != sys.base_prefix; print(sys.version_info[:2])"
    output = subprocess.run([built.python, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == str(sys.version_info[:2])


def test_unknown_python_is_replaced_with_a_warning(tmp_path):
    built, _ = make(parse(definition("python=3.99")), tmp_path)
    assert built.python == make(parse(None), tmp_path)[0].python
    assert "Python 3.99 is not on this machine" in built.warnings[0]


def fake_python(path, version=None):
    """A program that says that it is a Python; without a version one that does not run, as a shim."""
    path.parent.mkdir(parents=True, exist_ok=True)
    answer = (
        f"echo '[\"CPython\", {list(version)}]'"
        if version
        else "echo 'no such version' >&2; exit 127"
    )
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "place",
    [
        ".pyenv/versions/3.91.4/bin",
        ".local/share/uv/python/cpython-3.91.4-linux-x86_64-gnu/bin",
        "miniconda3/envs/old/bin",
        "miniforge3/bin",
        "on-the-path",
        "named/by/conda/bin",
    ],
)
def test_a_python_is_found_where_installers_put_it(tmp_path, place):
    wanted = fake_python(tmp_path / place / "python3.91", (3, 91, 4))
    fake_python(tmp_path / "shims" / "python3.91")  # pyenv's, of a version that is not chosen
    fake_python(tmp_path / "broken" / "python3.91")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{tmp_path}/named/by/conda\n/gone\n")
    path = [tmp_path / "shims", tmp_path / "broken", tmp_path / "on-the-path"]
    environ = {"HOME": str(tmp_path), "PATH": os.pathsep.join(map(str, path))}
    assert interpreters.find("3.91", environ) == wanted
    assert interpreters.find("3.91.0", environ) == wanted
    assert interpreters.find(">=3.90,<4", environ) == wanted
    assert interpreters.find("3.92", environ) is None


def test_the_very_patch_release_is_taken_before_a_newer_one(tmp_path):
    root = tmp_path / "pyenv"
    old = fake_python(root / "versions" / "3.91.2" / "bin" / "python3.91", (3, 91, 2))
    new = fake_python(root / "versions" / "3.91.9" / "bin" / "python3.91", (3, 91, 9))
    environ = {"HOME": str(tmp_path), "PATH": "", "PYENV_ROOT": str(root)}
    assert interpreters.find("3.91.2", environ) == old
    assert interpreters.find("3.91.5", environ) == new


def test_what_is_no_python_is_none(tmp_path):
    fake_python(tmp_path / "python3.91", (3, 8, 1))  # says another version than its name
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    assert interpreters.find("3.91", environ) is None


def test_packages_are_built_once_and_the_log_is_told(tmp_path):
    spec = parse(definition(pip=["six==1.17.0"]))
    built, lines = make(spec, tmp_path)
    assert any("six==1.17.0" in line for line in lines)
    subprocess.run([built.python, "-c", "import six"], check=True)
    assert make(spec, tmp_path) == (built, [])


def test_environment_that_lost_its_interpreter_is_built_again(tmp_path):
    built, _ = make(parse(None), tmp_path)
    built.python.unlink()
    assert make(parse(None), tmp_path)[0].python.exists()


def test_half_build_is_built_again(tmp_path):
    built, _ = make(parse(None), tmp_path)
    (built.python.parents[1] / "ready.json").unlink()
    built.python.unlink()
    (built.python.parents[1] / "litter").write_text("x")
    again, _ = make(parse(None), tmp_path)
    assert again == built
    assert not (built.python.parents[1] / "litter").exists()


def test_failed_build_says_why_and_is_tried_again(tmp_path):
    spec = parse(definition(pip=["six==0.0.99"]))
    for _ in range(2):
        with pytest.raises(BuildFailed) as failure:
            make(spec, tmp_path)
        assert "six==0.0.99" in failure.value.message
        assert "six==0.0.99" in failure.value.log_path.read_text()


def test_concurrent_builders_wait_for_one_build(tmp_path):
    logs, results = [], []
    spec = parse(definition(pip=["six"]))
    start = threading.Barrier(4)

    def build_it():
        start.wait()
        lines = []
        results.append(ensure(spec, root=tmp_path, log=lines.append).python)
        logs.append(lines)

    threads = [threading.Thread(target=build_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1 and len(results) == 4
    assert sum(any("six==" in line for line in lines) for lines in logs) == 1


def test_waiters_share_the_failure_they_waited_for(tmp_path):
    spec = parse(definition(pip=["six==0.0.98"]))
    start, messages, attempts = threading.Barrier(3), [], []

    def build_it():
        start.wait()
        with pytest.raises(BuildFailed) as failure:
            ensure(spec, root=tmp_path, log=attempts.append)
        messages.append(failure.value.message)

    threads = [threading.Thread(target=build_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(messages)) == 1 and len(messages) == 3
    assert sum("Creating virtual environment" in line for line in attempts) == 1


@pytest.fixture
def endless_uv(tmp_path, monkeypatch):
    """A uv that starts a child and hangs, as a compiler would."""
    program = tmp_path / "endless-uv"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\necho started\nwait\n")
    program.chmod(0o755)
    monkeypatch.setattr(build, "find_uv_bin", lambda: str(program))
    return tmp_path / "child"


def test_build_stops_with_its_whole_process_group(tmp_path, endless_uv):
    started = threading.Event()

    def log(line):
        started.set()

    with pytest.raises(BuildStopped):
        ensure(parse(None), root=tmp_path / "envs", log=log, should_stop=started.is_set)
    wait_for_end(int(endless_uv.read_text()))


def test_uv_of_a_killed_builder_keeps_others_out_until_it_ends(tmp_path):
    program, root = tmp_path / "hanging-uv", tmp_path / "envs"
    program.write_text("#!/bin/sh\necho $$\nexec sleep 600\n")
    program.chmod(0o755)
    code = (
        "from pathlib import Path\nfrom runs.steps.environments import build, parse\n"
        f"build.find_uv_bin = lambda: {str(program)!r}\n"
        f"build.ensure(parse(None), root=Path({str(root)!r}), log=lambda line: print(line, flush=True))"
    )
    builder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    orphan = int(builder.stdout.readline())
    builder.kill()
    builder.wait()

    def log(line):
        lines.append(line)
        if line.startswith("Waiting"):
            os.kill(orphan, signal.SIGKILL)

    lines = []
    built = ensure(parse(None), root=root, log=log)
    builder.stdout.close()
    assert lines[0].startswith("Waiting for another step")
    assert built.python.exists()


BACKEND = """
import json, os, pathlib

def build_wheel(folder, settings=None, metadata=None):
    home = pathlib.Path(os.environ["HOME"])
    found = {"variables": dict(os.environ), "netrc": (home / ".netrc").exists()}
    pathlib.Path(%r).write_text(json.dumps(found))
    raise SystemExit("seen")
"""
SECRETS = {
    "STUDIO_SECRET_KEY": "secret-1",
    "DATABASE_URL": "postgres://u:secret-2@db",
    "UV_INDEX_URL": "https://u:secret-3@index.example/simple",
    "UV_PUBLISH_TOKEN": "secret-4",
    "PIP_INDEX_URL": "https://u:secret-5@index.example/simple",
    "NETRC": "/secret-6",
    "SSH_AUTH_SOCK": "/secret-7",
    "XDG_CONFIG_HOME": "/secret-8",
    "AWS_SECRET_ACCESS_KEY": "secret-9",
}
TOOLS = {
    "https_proxy": "http://proxy.example",
    "NO_PROXY": "localhost,127.0.0.1",
    "SSL_CERT_FILE": "/etc/ssl/cert.pem",
    "CC": "clang",
    "CFLAGS": "-O1",
}


@pytest.fixture
def probe(tmp_path):
    """The requirement of a package that writes down what its build sees; and where."""
    source, seen = tmp_path / "probe", tmp_path / "seen.json"
    source.mkdir()
    (source / "backend.py").write_text(BACKEND % str(seen))
    build_system = (
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    project = '[project]\nname = "probe"\nversion = "1"\n'
    (source / "pyproject.toml").write_text(build_system + project)
    return f"probe @ {source.as_uri()}", seen


def test_a_package_that_is_built_sees_tools_and_no_secret(tmp_path, monkeypatch, probe):
    requirement, seen = probe
    home = tmp_path / "workers-home"
    home.mkdir()
    (home / ".netrc").write_text("machine index.example login u password secret-10")
    for name, value in {**SECRETS, **TOOLS, "HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "envs"
    with pytest.raises(BuildFailed):
        make(EnvironmentSpec(requirements=(requirement,)), root)
    found = json.loads(seen.read_text())
    assert "secret" not in json.dumps(found)
    assert not found["netrc"]
    assert TOOLS.items() <= found["variables"].items()
    assert os.environ["PATH"] in found["variables"]["PATH"]
    assert found["variables"]["HOME"] == str(root / "home")
    caches = (root / "home" / ".cache").iterdir()
    assert [path.name for path in caches] == ["uv"]
    assert not (home / ".cache").exists()


def test_packages_come_from_where_the_studio_gets_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = tmp_path / ".config" / "uv"
    config.mkdir(parents=True)
    (config / "uv.toml").write_text('find-links = ["/wheels"]\ncache-dir = "/mine"\n')
    monkeypatch.setenv("UV_INDEX_URL", "https://u:p@index.example/simple")
    monkeypatch.setenv("UV_INDEX", "more=https://more.example/simple https://other.example")
    monkeypatch.setenv("UV_INDEX_MORE_USERNAME", "me")
    monkeypatch.setenv("UV_INDEX_MORE_PASSWORD", "a/b")
    path = surroundings.write_settings(tmp_path)
    assert tomllib.loads(path.read_text()) == {
        "find-links": ["/wheels"],
        "index-url": "https://u:p@index.example/simple",
        "index": [
            {"name": "more", "url": "https://me:a%2Fb@more.example/simple"},
            {"url": "https://other.example"},
        ],
    }
    assert path.stat().st_mode & 0o077 == 0


def test_an_index_of_the_studio_is_used_for_builds(tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    name = wheels / "onlyhere-1-py3-none-any.whl"
    with zipfile.ZipFile(name, "w") as wheel:
        wheel.writestr("onlyhere.py", "")
        info = "Metadata-Version: 2.1\nName: onlyhere\nVersion: 1\n"
        wheel.writestr("onlyhere-1.dist-info/METADATA", info)
        wheel.writestr("onlyhere-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("onlyhere-1.dist-info/RECORD", "")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    built, _ = make(parse(definition(pip=["onlyhere"])), tmp_path / "envs")
    subprocess.run([built.python, "-c", "import onlyhere"], check=True)


@pytest.mark.parametrize(
    ("said", "is_ours"),
    [
        ("error: Request failed after 3 retries\n  cause: client error (Connect)", True),
        ("error: Failed to fetch\n  cause: error sending request for url (https://x/y)", True),
        ("error: Failed to fetch\n  cause: HTTP status server error (503 Service)", True),
        ("error: failed to write\n  cause: No space left on device (os error 28)", True),
        ("error: Failed to fetch\n  cause: HTTP status client error (404 Not Found)", False),
        ("error: No solution found when resolving dependencies", False),
    ],
)
def test_an_index_that_does_not_answer_is_not_the_users_error(tmp_path, said, is_ours):
    building = build._Build(parse(None), root=tmp_path, log=print, should_stop=lambda: False)
    assert building.failed(f"The environment could not be built: {said}").is_ours is is_ours
