"""What a step's Python is to its script: where it imports from, and what the script may install."""

import json
import subprocess
import zipfile

import pytest

from runs import storage
from runs.states import Status
from runs.steps import forking

pytestmark = pytest.mark.django_db

SCRIPTS = {
    "util/__init__.py": "",
    "util/helper.py": "x = 'of the root'",
    "evaluate/own.py": "y = 'of its folder'",
    "azureml/__init__.py": "shadow = True",
    "azureml/core.py": "raise SystemExit('the azureml of the repository')",
    "azureml/mine.py": "z = 'of the repository'",
}
IMPORTS = """
    import json, os, sys
    import azureml
    from azureml.core import Run
    from azureml.mine import z
    from util.helper import x
    print(json.dumps([x, z, hasattr(azureml, "shadow"), Run.get_context().id, sys.path]))
"""


@pytest.fixture(params=["warm", "plain"])
def start(request, monkeypatch):
    """Scripts are forked from a warm interpreter, or started where that cannot be done."""
    if request.param == "plain":
        monkeypatch.setattr(forking.Servers, "fork", lambda *args, **more: None)
    return request.param


def said(studio, run, name="one") -> str:
    step = studio.step(run, name)
    return storage.read_log(step.run.uuid).decode()


@pytest.mark.parametrize("script", ["evaluate/one.py", "one.py"])
def test_scripts_import_from_the_root_of_their_folder_and_azureml_is_ours(studio, start, script):
    pipeline = studio.publish(
        steps={"one": {"script_name": script}}, scripts={**SCRIPTS, script: IMPORTS}
    )
    run = studio.run(pipeline)
    assert run.status == Status.COMPLETED, run.error
    x, z, is_shadowed, run_id, path = json.loads(said(studio, run))
    assert (x, z, is_shadowed) == ("of the root", "of the repository", False)
    assert run_id == str(studio.step(run).run.uuid)
    first, ours, root = path[:3]
    assert first.endswith("/code/evaluate" if "/" in script else "/code")
    assert ours.endswith("runs/sdk")
    assert root.endswith("/code")


def test_the_variable_of_the_environment_comes_before_the_root(studio, start):
    pipeline = studio.publish(
        steps={"one": {"script_name": "evaluate/one.py"}},
        scripts={"evaluate/one.py": "import json, sys; print(json.dumps(sys.path))"},
    )
    node = pipeline.graph.wire["ModuleNodes"][0]
    environment = {"environment": {"environmentVariables": {"PYTHONPATH": "/theirs:/more"}}}
    node["Runconfig"] = json.dumps(environment)
    pipeline.graph.save()
    path = json.loads(said(studio, studio.run(pipeline)))
    assert path[2:4] == ["/theirs", "/more"]
    assert path[4].endswith("/code")


def test_a_command_imports_from_there_too(studio):
    pipeline = studio.publish(
        steps={
            "one": {"type": "CommandStep", "command": "python evaluate/one.py && python one.py"}
        },
        scripts={**SCRIPTS, "evaluate/one.py": IMPORTS, "one.py": IMPORTS},
    )
    run = studio.run(pipeline)
    assert run.status == Status.COMPLETED, run.error
    for line in said(studio, run).splitlines():
        assert json.loads(line)[:3] == ["of the root", "of the repository", False]


@pytest.fixture
def wheels(tmp_path):
    """Two versions of a package."""
    for version in ("1", "2"):
        with zipfile.ZipFile(tmp_path / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny.py", f"version = {version}")
            info = f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
            wheel.writestr(f"tiny-{version}.dist-info/METADATA", info)
            tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"tiny-{version}.dist-info/WHEEL", tags)
            points = "[console_scripts]\ntiny = tiny:__doc__.__class__\n"
            wheel.writestr(f"tiny-{version}.dist-info/entry_points.txt", points)
            files = (
                "tiny.py",
                *(f"tiny-{version}.dist-info/{name}" for name in ("METADATA", "WHEEL")),
            )
            record = "".join(f"{name},,\n" for name in files)
            wheel.writestr(f"tiny-{version}.dist-info/RECORD", record)
    return tmp_path


INSTALL = """
    import os, shutil, subprocess, sys
    pip = {pip} + ["install", "--no-index", "--find-links", {wheels!r}]
    subprocess.run(pip + ["tiny==1"], check=True, stdout=subprocess.DEVNULL)
    import tiny
    print(tiny.version, os.path.dirname(tiny.__file__).startswith(os.environ["HOME"]))
    subprocess.run(pip + ["--upgrade", "tiny"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-c", "import tiny; print(tiny.version)"], check=True)
    print(shutil.which("tiny").startswith(os.environ["HOME"]), os.path.isdir(sys.prefix))
"""


@pytest.mark.parametrize("pip", ['[sys.executable, "-m", "pip"]', '["pip"]', '["pip3"]'])
def test_pip_installs_into_a_folder_of_the_attempt(studio, start, wheels, environments, pip):
    script = INSTALL.format(pip=pip, wheels=str(wheels))
    scripts = {"one.py": script, "two.py": "import tiny"}
    pipeline = studio.publish(steps={"one": {}, "two": {"run_after": ["one"]}}, scripts=scripts)
    run = studio.run(pipeline)
    assert said(studio, run) == "1 True\n2\nTrue True\n"
    assert "No module named 'tiny'" in studio.step(run, "two").run.error
    assert not list(environments.glob("*/lib/*/site-packages/tiny*"))


def test_pip_within_the_script_installs_there_too(studio, start, wheels, environments):
    script = f"""
        import sysconfig
        sysconfig.get_paths()
        from pip._internal.cli.main import main
        main(["install", "-q", "--no-index", "--find-links", {str(wheels)!r}, "tiny"])
        import tiny
        print(tiny.version)
    """
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
    assert said(studio, run) == "2\n"
    assert not list(environments.glob("*/lib/*/site-packages/tiny*"))


def test_what_the_environment_has_is_satisfied_and_what_is_installed_comes_first(
    studio, start, wheels, environments
):
    """A newer version goes into the attempt; that of the environment stays as it is."""
    (shared,) = environments.glob("*/lib/*/site-packages")
    python = shared.parents[2] / "bin" / "python"
    link = ["--no-index", "--find-links", str(wheels)]
    pip = [python, "-m", "pip", "install", "-q", *link]
    subprocess.run([*pip, "tiny==1"], check=True)
    try:
        script = f"""
            import subprocess, sys
            pip = [sys.executable, "-m", "pip", "install", *{link!r}]
            print("satisfied" in subprocess.run(pip + ["tiny"], stdout=subprocess.PIPE, text=True).stdout)
            subprocess.run(pip + ["-q", "tiny==2"], check=True)
            import tiny
            print(tiny.version)
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert said(studio, run).splitlines()[-2:] == ["True", "2"]
        assert (shared / "tiny.py").read_text() == "version = 1"
    finally:
        subprocess.run([python, "-m", "pip", "uninstall", "-qy", "tiny"], check=True)
