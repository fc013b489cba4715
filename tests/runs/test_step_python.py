"""What a step's Python is to its script: where it imports from, and what the script may install."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from endpoints.models import Module
from endpoints.parameters import ParameterErrors
from runs.models import Metric, Run
from runs.states import Status
from runs.steps import forking
from runs.steps.environments.interpreters import find
from tests.runs.shown import log_of

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


@pytest.fixture(params=["warm", "anew", "without a server"])
def start(request, monkeypatch):
    """Scripts are forked from a warm interpreter, or started where that cannot be done."""
    if request.param != "warm":
        monkeypatch.setattr(forking.Servers, "fork", lambda *args, **more: None)
    if request.param == "without a server":
        monkeypatch.setattr(forking.Servers, "spawn", lambda *args, **more: None)


def said(studio, run, name="one") -> str:
    step = studio.step(run, name)
    return log_of(step.run.uuid).decode()


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
    studio, start, wheels
):
    """A newer version goes into the attempt; that of the environment stays as it is."""
    script = "import sys; print(sys.prefix)"
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
    environment = Path(said(studio, run).strip())
    (shared,) = environment.glob("lib/*/site-packages")
    python = environment / "bin" / "python"
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


LARGE = 200_000
TELLS_ARGUMENTS = """
    import json, os, subprocess, sys
    subprocess.run(["true"], check=True)
    names = sorted(name for name in os.environ if name.startswith("AML_PARAMETER_"))
    print(json.dumps([[len(word) for word in sys.argv[1:]], names]))
"""


def with_parameters(studio, sizes, **step):
    """A pipeline whose step is given texts of these sizes as its arguments."""
    names = [f"p{number}" for number in range(len(sizes))]
    step.setdefault("arguments", [f"parameter:{name}" for name in names])
    pipeline = studio.publish(
        parameters={name: {"type": "string", "default": "x"} for name in names},
        steps={"one": step},
        scripts={"one.py": TELLS_ARGUMENTS},
    )
    values = {name: "v" * size for name, size in zip(names, sizes, strict=True)}
    return pipeline, values


def test_a_large_value_reaches_the_arguments_of_a_script_and_no_variable(studio, start):
    pipeline, values = with_parameters(studio, [LARGE, 5])
    run = studio.run(pipeline, assignments=values)
    assert run.status == Status.COMPLETED, run.error
    assert json.loads(said(studio, run)) == [[LARGE, 5], ["AML_PARAMETER_p1"]]
    (warning,) = studio.step(run).warnings
    assert "AML_PARAMETER_p0" in warning
    assert "in its arguments" in warning


def test_many_values_leave_room_for_what_a_script_starts(studio, start):
    pipeline, values = with_parameters(studio, [100_000] * 30)
    run = studio.run(pipeline, assignments=values)
    assert run.status == Status.COMPLETED, run.error
    lengths, names = json.loads(said(studio, run))
    assert lengths == [100_000] * 30
    assert 5 <= len(names) <= 10


def with_no_arguments(pipeline):
    """The step's parameters are its variables only."""
    module = Module.objects.get()
    module.structured_interface["Arguments"] = []
    module.save()
    return pipeline


def refused(studio, pipeline, values) -> dict[str, str]:
    with pytest.raises(ParameterErrors) as refusal:
        studio.submit(pipeline, assignments=values)
    assert not Run.objects.exists()
    return refusal.value.errors


def test_a_large_value_in_a_command_is_refused_by_name(studio):
    pipeline, values = with_parameters(studio, [LARGE, 5], type="CommandStep", command="echo")
    ((name, message),) = refused(studio, pipeline, values).items()
    assert name == "p0"
    assert "200,000 bytes" in message
    assert "131,071" in message


@pytest.mark.parametrize("command", ["echo ${AML_PARAMETER_p0}", "echo $AML_PARAMETER_p0; true"])
def test_a_command_that_names_the_variable_of_a_large_value_is_refused_too(studio, command):
    pipeline, values = with_parameters(studio, [LARGE, 5], type="CommandStep", command=command)
    assert list(refused(studio, with_no_arguments(pipeline), values)) == ["p0"]


def test_a_command_that_does_not_use_a_large_value_runs(studio):
    pipeline, values = with_parameters(
        studio, [LARGE, 5], type="CommandStep", command="echo", arguments=["parameter:p1"]
    )
    run = studio.run(pipeline, assignments=values)
    assert run.status == Status.COMPLETED, run.error
    assert said(studio, run) == "vvvvv\n"


def test_values_that_are_too_long_together_for_a_command_are_refused(studio):
    pipeline, values = with_parameters(
        studio, [60_000, 72_000, 10], type="CommandStep", command="echo"
    )
    assert list(refused(studio, pipeline, values)) == ["p1"]
    quotes = {"p0": "'" * 30_000, "p1": "", "p2": ""}  # five characters each in a shell's text
    assert list(refused(studio, pipeline, quotes)) == ["p0"]


def test_a_large_value_that_would_be_a_variable_only_is_refused(studio):
    pipeline, values = with_parameters(studio, [LARGE, 5])
    errors = refused(studio, with_no_arguments(pipeline), values)
    assert "AML_PARAMETER_p0 only" in errors["p0"]


@pytest.mark.parametrize(("value", "what"), [([1], "a list"), ({"a": [1]}, "an object")])
def test_a_list_or_an_object_is_to_be_sent_as_text(studio, value, what):
    pipeline, _ = with_parameters(studio, [1])
    message = refused(studio, pipeline, {"p0": value})["p0"]
    assert f"is {what}" in message
    assert "send it as a JSON text" in message


BAR = "import sys; sys.stderr.write('\\r 50%|##### | 5/10')\n"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("raise ValueError('first\\nTraceback (most recent call last):\\nKeyError: 1')", "first"),
        ("raise ValueError('\\nafter a line break\\nmore')", "after a line break"),
        (BAR + "raise ValueError('after a bar')", "after a bar"),
        ("raise ValueError('\\x1b[31mred\\x1b[0m')", "red"),
        ("try: 1/0\nexcept ZeroDivisionError as e: raise ValueError('chained') from e", "chained"),
        ("import atexit; atexit.register(print, 'bye'); raise ValueError('then bye')", "then bye"),
    ],
)
def test_a_run_is_told_to_have_failed_by_its_exceptions_first_line(studio, start, script, error):
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
    assert studio.step(run).run.error == f"ValueError: {error}"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (
            "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
            "ExceptionGroup: two (2 sub-exceptions)",
        ),
        ("print('a'); import sys; sys.exit('no rows\\nat all')", "no rows"),
        ("print('usage: x'); print('x.py: error: no y'); raise SystemExit(2)", "x.py: error: no y"),
        (
            "import os\nprint('a', flush=True)\nif not os.fork(): 1/0\nos.wait(); raise SystemExit(4)",
            "Zero",
        ),
        ("this is no python", "SyntaxError: invalid syntax"),
        (
            "import os; print('a', flush=True); os.kill(os.getpid(), 9)",
            "The process was ended by signal 9.",
        ),
        (
            "class E(Exception):\n  def __str__(self): raise OSError\nraise E",
            "E: <exception str() failed>",
        ),
    ],
)
def test_other_ends_are_told_by_what_they_are(studio, start, script, error):
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
    assert studio.step(run).run.error.startswith(error)


@pytest.mark.parametrize(
    "made", ["os.mkfifo(path)", "os.symlink('/etc/hostname', path)", "os.mkdir(path)"]
)
def test_a_reason_that_is_no_file_is_not_read(studio, made):
    script = f"""
        import os
        path = os.environ["STUDIO_FACTS_DIR"] + "/reason"
        {made}
        print("the end", flush=True)
        os._exit(1)
    """
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
    assert studio.step(run).run.error == "the end"


def test_a_command_is_told_to_have_failed_by_its_last_line_alone(studio):
    command = {"type": "CommandStep", "command": "echo epoch 1; echo epoch 2; no-such-program"}
    run = studio.run(studio.publish(steps={"one": command}, scripts={}))
    assert studio.step(run).run.error.endswith("no-such-program: command not found")
    assert "epoch" not in run.error


def test_a_script_of_another_python_has_all_of_this_too(studio, start, wheels):
    """Of each that this machine has; the studio's own is always there."""
    versions = ("3.6", "3.7", "3.8", "3.13", "{}.{}".format(*sys.version_info))
    for version in versions:
        if find(version, os.environ) is not None:
            a_script_has_all_of_this(studio, wheels, version)


def a_script_has_all_of_this(studio, wheels, version):
    script = f"""
        import json, subprocess, sys
        from util.helper import x
        from azureml.core import Environment, Run
        from azureml.data.datapath import DataPath
        run = Run.get_context()
        run.log("rows", 3)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--find-links", {str(wheels)!r}]
        subprocess.check_call(pip + ["tiny==2"])
        import tiny
        print(json.dumps([x, run.id, tiny.version, sys.version_info[:2], len(sys.argv[1])]))
        sys.stdout.write(" 50%|###")
        raise ValueError("its own")
    """
    pipeline = studio.publish(
        parameters={"p": {"type": "string", "default": "x"}},
        steps={"one": {"arguments": ["parameter:p"]}},
        scripts={"one.py": script, "util/helper.py": "x = 1"},
    )
    node = pipeline.graph.wire["ModuleNodes"][0]
    conda = {"condaDependencies": {"dependencies": [f"python={version}"]}}
    node["Runconfig"] = json.dumps({"environment": {"python": conda}})
    pipeline.graph.save()
    run = studio.run(pipeline, assignments={"p": "v" * LARGE})
    step = studio.step(run)
    found = json.loads(said(studio, run).splitlines()[0])
    assert found == [1, str(step.run.uuid), 2, [int(part) for part in version.split(".")], LARGE]
    assert step.run.error == "ValueError: its own"
    assert Metric.objects.get(run=step.run).name == "rows"
