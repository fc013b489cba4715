"""Steps as a worker does them: real scripts in real processes."""

import importlib
import io
import json
import os
from threading import Timer

import pytest

from endpoints import data
from endpoints.models import Module
from runs import engine, services
from runs.engine import cleanup
from runs.models import Artifact, Metric, Outcome, Run, StepAttempt
from runs.states import Status
from runs.steps import Stop, StopFlag
from studio.storage.store import studio_store
from tests.runs.processes import wait_for_end
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db


def located(run, place) -> data.Location:
    return data.locate(run.workspace, place["datastore"], place["path"])


class TestScripts:
    def test_a_script_runs_and_its_output_is_its_log(self, studio):
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": "print('hello')"}))
        step = studio.step(run)
        assert (run.status, run.error) == (Status.COMPLETED, "")
        assert log_of(step.run.uuid) == b"hello\n"
        attempt = StepAttempt.objects.get()
        assert (attempt.outcome, attempt.exit_code) == (Outcome.COMPLETED, 0)
        cleanup.CLEANER.clean_up()
        assert list((studio.path / "work").iterdir()) == []

    def test_a_short_step_was_running_all_the_same(self, studio):
        scripts = {"one.py": "", "two.py": "raise SystemExit(3)"}
        run = studio.run(studio.publish(steps={"one": {}, "two": {}}, scripts=scripts))
        for step in run.children.all():
            past = list(step.status_changes.order_by("pk").values_list("to_status", flat=True))
            assert past[-3:-1] == [Status.PREPARING, Status.RUNNING]
            assert step.started_at == step.status_changes.get(to_status=Status.RUNNING).at

    @pytest.mark.parametrize("script", ["", "import time; time.sleep(0.3)"])
    def test_a_step_goes_on_whose_worker_was_silent_while_preparing_it(self, studio, script):
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        claim = engine.claim(studio.worker.name, ["cpu-cluster"])
        Run.objects.transition(claim.step_id, to=Status.NOT_RESPONDING)
        with studio.worker._stop_flag_for(claim) as flag:
            studio.worker._check_running_steps()
            assert engine.execute(claim, flag, studio.worker.watchdog)
        step = studio.step(run).run
        past = list(step.status_changes.order_by("pk").values_list("to_status", flat=True))
        assert past[-3:] == [Status.NOT_RESPONDING, Status.RUNNING, Status.COMPLETED]
        assert step.created_at <= step.started_at <= step.finished_at
        assert StepAttempt.objects.get().outcome == Outcome.COMPLETED

    def test_a_failure_tells_the_last_line_of_its_traceback(self, studio):
        script = "print('before')\nraise ValueError('no rows')"
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        step = studio.step(run)
        assert run.error == "Step one failed: ValueError: no rows"
        assert (step.exit_code, step.run.error) == (1, "ValueError: no rows")
        assert b"Traceback" in log_of(step.run.uuid)

    def test_arguments_and_parameters_reach_the_script(self, studio):
        pipeline = studio.publish(
            parameters={"rate": {"type": "int", "default": 1}},
            steps={"one": {"arguments": ["--rate", "parameter:rate", "--plain", "a b"]}},
            scripts={
                "one.py": "import os, sys; print(sys.argv[1:], os.environ['AML_PARAMETER_rate'])"
            },
        )
        run = studio.run(pipeline, assignments={"rate": "7"})
        log = log_of(studio.step(run).run.uuid).decode()
        assert log == "['--rate', '7', '--plain', 'a b'] 7\n"

    def test_a_command_runs_in_a_shell(self, studio):
        pipeline = studio.publish(
            steps={
                "one": {"type": "CommandStep", "command": "echo $((6*7)); python -c 'print(1)'"}
            },
            scripts={},
        )
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        assert log_of(studio.step(run).run.uuid) == b"42\n1\n"

    def test_a_missing_script_is_named(self, studio):
        pipeline = studio.publish(
            steps={"one": {"type": "CommandStep", "command": "exit 3"}}, scripts={}
        )
        run = studio.run(pipeline)
        assert "exit code 3" in run.error

    def test_the_environment_holds_no_secret_of_the_studio(self, studio, monkeypatch, settings):
        settings.STUDIO_DATABASE_URL = "postgres://u:secretpw@db/x"
        for name in ("STUDIO_DATABASE_URL", "STUDIO_REDIS_URL", "STUDIO_SECRET_KEY", "AWS_SECRET"):
            monkeypatch.setenv(name, f"leak-{name}")
        script = "import json, os; print(json.dumps(dict(os.environ)))"
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        text = log_of(studio.step(run).run.uuid).decode()
        found = json.loads(text)
        assert "leak-" not in text
        assert settings.SECRET_KEY not in text
        assert not {name for name in found if name.startswith(("DJANGO_", "CELERY_"))}
        assert {name for name in found if name.startswith("STUDIO_")} == {"STUDIO_FACTS_DIR"}
        assert found["AZUREML_RUN_ID"] == str(studio.step(run).run.uuid)
        assert found["HOME"].startswith(str(studio.path / "work"))

    def test_of_its_variables_those_that_are_the_studios_are_named(self, studio):
        """A step gets what its environment sets, and is told of what it does not get."""
        kept = {"PATH_TO_MODEL": "m", "HOMEPAGE": "h", "PYTHONPATH": "lib", "MLFLOW_RUN_NAME": "n"}
        lost = ("AZUREML_RUN_ID", "HOME", "MLFLOW_EXPERIMENT_NAME", "PATH", "STUDIO_X")
        script = "import json, os; print(json.dumps(dict(os.environ)))"
        pipeline = studio.publish(steps={"one": {}}, scripts={"one.py": script})
        wanted = {**kept, **dict.fromkeys(lost, "mine"), "PYTHONUNBUFFERED": "1"}
        environment = {"environment": {"environmentVariables": wanted}}
        Module.objects.update(runconfig=json.dumps(environment))
        node = pipeline.graph.wire["ModuleNodes"][0]
        node["Runconfig"] = None
        pipeline.graph.save()
        step = studio.step(studio.run(pipeline))
        found = json.loads(log_of(step.run.uuid))
        assert found.pop("PYTHONPATH").split(os.pathsep)[1] == kept.pop("PYTHONPATH")
        assert kept.items() <= found.items()
        assert "mine" not in found.values()
        said = [text.split()[3] for text in step.warnings if "the studio sets it" in text]
        assert said == list(lost)

    def test_files_in_outputs_become_artifacts(self, studio):
        script = """
            import os
            os.makedirs("outputs/sub", exist_ok=True)
            open("outputs/sub/model.txt", "w").write("weights")
            raise SystemExit(2)
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        artifact = Artifact.objects.get(run=studio.step(run).run)
        assert (artifact.path, artifact.size) == ("outputs/sub/model.txt", 7)
        assert b"".join(studio_store().stream(artifact.blob)) == b"weights"

    def test_files_without_a_usable_name_fail_the_step_when_all_else_is_kept(self, studio):
        script = """
            import os
            open(b"outputs/\\xff.txt", "w").write("x")
            os.makedirs("outputs" + 6 * ("/" + 200 * "d"))
            open("outputs" + 6 * ("/" + 200 * "d") + "/deep", "w").write("x")
            os.mkfifo("outputs/pipe")
            open("outputs/good.txt", "w").write("x")
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        step = studio.step(run)
        assert step.run.status == Status.FAILED
        assert "2 files with a name that cannot be stored: outputs/\\xff.txt, " in step.run.error
        assert [a.path for a in Artifact.objects.filter(run=step.run)] == ["outputs/good.txt"]
        assert len(step.warnings) == 2
        assert any("\\xff.txt was not kept" in text for text in step.warnings)

    def test_an_output_that_is_a_pipe_fails_its_step(self, studio):
        pipeline = studio.publish(
            steps={
                "one": {"arguments": ["output:made"], "outputs": {"made": {"destination": "mid"}}}
            },
            scripts={
                "one.py": """
                    import os, sys
                    os.makedirs(sys.argv[1], exist_ok=True)
                    os.mkfifo(sys.argv[1] + "/pipe")
                """
            },
        )
        assert "The output pipe is no plain file" in studio.run(pipeline).error

    def test_nonsense_among_the_facts_is_passed_over(self, studio):
        script = """
            import json, os
            run = os.environ["AZUREML_RUN_ID"]
            with open(os.environ["STUDIO_FACTS_DIR"] + "/facts.jsonl", "ab") as facts:
                facts.write(100_000 * b"[" + b"\\n")
                facts.write(5_000_000 * b"z" + b"\\n")
                fact = {"kind": "tag", "key": "after", "value": "yes", "run": run}
                facts.write(json.dumps(fact).encode() + b"\\n")
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert run.status == Status.COMPLETED, run.error
        assert studio.step(run).run.tags["after"] == "yes"

    def test_an_output_is_handed_to_the_next_step(self, studio):
        pipeline = studio.publish(
            steps={
                "one": {"arguments": ["output:made"], "outputs": {"made": {"destination": "mid"}}},
                "two": {"arguments": ["input:got"], "inputs": {"got": {"source": "mid"}}},
            },
            scripts={
                "one.py": """
                    import os, sys
                    os.makedirs(sys.argv[1], exist_ok=True)
                    open(sys.argv[1] + "/rows.csv", "w").write("1,2")
                """,
                "two.py": "import sys; print(open(sys.argv[1] + '/rows.csv').read())",
            },
        )
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        assert log_of(studio.step(run, "two").run.uuid) == b"1,2\n"
        place = studio.step(run).outputs["made"]
        kept = located(run, place)
        assert [entry.path.rpartition("/")[2] for entry in kept.files()] == ["rows.csv"]

    def test_what_the_sdk_writes_for_a_reference_within_a_text_is_its_place(self, studio):
        """`str(DataReference)` and `PipelineData.as_dataset()` are literals to the SDK; a mounted input
        that is copied to an output is kept as the files that it stands for."""
        pipeline = studio.publish(
            steps={
                "one": {
                    "arguments": ["$AZUREML_DATAREFERENCE_made"],
                    "outputs": {"made": {"destination": "mid"}},
                },
                "two": {
                    "arguments": [
                        "--at=$AZUREML_DATAREFERENCE_got/a.csv",
                        "$AZUREML_DATAREFERENCE_x",
                        "$AZUREML_DATAREFERENCE_copy-1.csv",
                        "$AZUREML_DATAREFERENCE_x-1",
                    ],
                    "inputs": {"got": {"source": "mid"}},
                    "outputs": {"copy": {"destination": "kept"}},
                },
            },
            scripts={
                "one.py": """
                    import os, sys
                    os.mkdir(sys.argv[1])
                    open(sys.argv[1] + "/a.csv", "w").write("1,2")
                """,
                "two.py": """
                    import os, subprocess, sys
                    place = sys.argv[1].partition("=")[2]
                    out = os.environ["AZUREML_DATAREFERENCE_copy"]
                    print(open(place).read(), sys.argv[2], sys.argv[3] == out + "-1.csv", sys.argv[4])
                    subprocess.check_call(["cp", "-r", os.path.dirname(place), out])
                """,
            },
        )
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        two = studio.step(run, "two")
        unknown = "$AZUREML_DATAREFERENCE_x"
        said = log_of(two.run.uuid).decode()
        assert said == f"1,2 {unknown} True {unknown}-1\n"
        kept = located(run, two.outputs["copy"])
        assert [entry.path.rpartition("/")[2] for entry in kept.files()] == ["a.csv"]

    def test_data_are_where_a_script_looks_for_them_without_being_told(self, studio):
        """`path_on_compute`, in the folder where the step runs; no other place is a step's."""
        pipeline = studio.publish(
            steps={
                "one": {"outputs": {"made": {"destination": "mid", "path_on_compute": "made"}}},
                "two": {
                    "arguments": ["input:far"],
                    "inputs": {
                        "near": {"source": "mid", "path_on_compute": "data/in"},
                        "taken": {"source": "mid", "path_on_compute": "two.py"},
                        "far": {"source": "mid", "path_on_compute": "/data/far"},
                        "out": {"source": "mid", "path_on_compute": "../out"},
                    },
                },
            },
            scripts={
                "one.py": """
                    import os
                    os.mkdir("made")
                    open("made/rows.csv", "w").write("1,2")
                """,
                "two.py": """
                    import os, sys
                    print(open("data/in/rows.csv").read(), open(sys.argv[1] + "/rows.csv").read())
                    print(os.path.lexists("../out"))
                """,
            },
        )
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        step = studio.step(run, "two")
        assert log_of(step.run.uuid) == b"1,2 1,2\nFalse\n"
        named = [
            name
            for name in ("near", "taken", "far", "out")
            for text in step.warnings
            if f"The input {name} is not at" in text
        ]
        assert named == ["taken", "far", "out"], step.warnings

    @pytest.mark.parametrize("is_dataset", [False, True])
    def test_an_output_of_which_nothing_is_kept_says_why(self, studio, is_dataset):
        """The folder of an OutputFileDatasetConfig is there before the step, and stays empty."""
        places = {
            "far": "/far/away",
            "up": "../up",
            "code": "model",
            "long": "x" * 300,
            "link": "a/b",
        }
        pipeline = studio.publish(
            steps={
                "one": {
                    "outputs": {
                        name: {"destination": name, "path_on_compute": place}
                        for name, place in {**places, "new": "changed"}.items()
                    }
                }
            },
            scripts={
                "one.py": """
                    import os
                    os.symlink("b", "a"); os.symlink("a", "b")
                    open("changed/more.txt", "w").write("x")
                """,
                "model/old.txt": "x",
                "changed/old.txt": "x",
            },
        )
        if is_dataset:
            for setting in pipeline.graph.wire["ModuleNodes"][0]["ModuleOutputSettings"]:
                setting["DatasetOutputOptions"] = {"PathOnDatastore": setting["Name"]}
            pipeline.graph.save()
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        step = studio.step(run)
        said = {text.split()[2]: text for text in step.warnings if text.startswith("The output")}
        assert sorted(said) == sorted(places)
        for name in ("far", "up", "long", "link"):
            assert f"{places[name]} is no usable path in the step's own folder" in said[name]
        kept = located(run, step.outputs["new"])
        assert len(list(kept.files())) == 2

    def test_patterns_that_mean_no_file_are_said(self, studio):
        pipeline = studio.publish(
            steps={
                "one": {"arguments": ["output:made"], "outputs": {"made": {"destination": "mid"}}}
            },
            scripts={
                "one.py": """
                    import os, sys
                    os.mkdir(sys.argv[1]); open(sys.argv[1] + "/a.csv", "w").write("x")
                """
            },
        )
        node = pipeline.graph.wire["ModuleNodes"][0]
        setting = node["ModuleOutputSettings"][0]
        setting["DatasetOutputOptions"] = {"SourceGlobs": {"GlobPatterns": ["*.txt", "sub"]}}
        pipeline.graph.save()
        step = studio.step(studio.run(pipeline))
        assert "Nothing of the output made was kept: no file matches *.txt, sub." in step.warnings

    def test_a_step_that_changes_its_input_fails_and_names_the_file(self, studio):
        pipeline = studio.publish(
            steps={
                "one": {"arguments": ["output:made"], "outputs": {"made": {"destination": "mid"}}},
                "two": {
                    "arguments": ["input:got"],
                    "inputs": {"got": {"source": "mid", "bind_mode": "mount"}},
                },
            },
            scripts={
                "one.py": """
                    import os, sys
                    os.makedirs(sys.argv[1], exist_ok=True)
                    open(sys.argv[1] + "/rows.csv", "w").write("1,2")
                """,
                "two.py": "import sys; open(sys.argv[1] + '/rows.csv', 'a').write('3')",
            },
        )
        run = studio.run(pipeline)
        assert run.status == Status.FAILED
        assert "rows.csv" in run.error

    def test_facts_of_the_script_become_rows(self, studio):
        script = """
            from azureml.core import Run
            run = Run.get_context()
            run.log("loss", 0.5); run.log("loss", 0.25)
            run.tag("kind", "test"); run.parent.tag("from", "step")
            open("plot.txt", "w").write("x"); run.upload_file("outputs/plot.txt", "plot.txt")
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert run.status == Status.COMPLETED, run.error
        step = studio.step(run).run
        values = Metric.objects.get(run=step, name="loss").values.order_by("pk")
        assert [value.data for value in values] == [{"loss": 0.5}, {"loss": 0.25}]
        assert step.tags["kind"] == "test"
        assert run.tags["from"] == "step"
        assert step.artifacts.get().path == "outputs/plot.txt"

    def test_a_script_that_declares_failure_fails(self, studio):
        script = "from azureml.core import Run; Run.get_context().fail('bad data')"
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert run.status == Status.FAILED
        assert "bad data" in run.error

    def test_a_failed_step_is_tried_again(self, studio):
        script = """
            import pathlib, sys
            mark = pathlib.Path(sys.argv[1]); tried = mark.exists(); mark.touch()
            print("again" if tried else "first"); sys.exit(not tried)
        """
        mark = str(studio.path / "mark")
        steps = {"one": {"arguments": [mark], "retries": 1, "retry_delay_seconds": 1}}
        pipeline = studio.publish(steps=steps, scripts={"one.py": script})
        run = studio.submit(pipeline)
        assert studio.work() == [({"cpu-cluster": 1}, 1)]
        step = studio.step(run)
        type(step).objects.filter(pk=step.pk).update(not_before=None)
        studio.work()
        run.refresh_from_db()
        assert run.status == Status.COMPLETED
        assert log_of(step.run.uuid) == b"first\nagain\n"

    def test_an_equal_step_is_reused_with_its_outputs(self, studio):
        steps = {
            "one": {
                "allow_reuse": True,
                "arguments": ["output:made"],
                "outputs": {"made": {"destination": "mid"}},
            },
            "two": {"arguments": ["input:got"], "inputs": {"got": {"source": "mid"}}},
        }
        scripts = {
            "one.py": """
                import os, sys
                os.makedirs(sys.argv[1], exist_ok=True)
                open(sys.argv[1] + "/x", "w").write("made once")
            """,
            "two.py": "import sys; print(open(sys.argv[1] + '/x').read())",
        }
        pipeline = studio.publish(steps=steps, scripts=scripts)
        studio.run(pipeline)
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        assert studio.step(run).reused_from is not None
        assert log_of(studio.step(run, "two").run.uuid) == b"made once\n"


class TestWhatCannotBeWritten:
    """Texts that no column holds are replaced; nothing is repeated because of them."""

    def test_an_error_that_no_database_holds(self, studio):
        script = r"""
            from azureml.core import Run
            run = Run.get_context()
            run.tag("bad\0key", "half \udcff")
            run.log("loss\0", float("nan"), step=None)
            run.log("far", 1, step=2**70)
            run.fail("no file \udcff\0 " + 10_000 * "x", error_code=100 * "c\0")
        """
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        step = studio.step(run).run
        assert (run.status, step.status) == (Status.FAILED, Status.FAILED)
        assert step.error.startswith("no file \ufffd\ufffd xxx")
        assert step.error_code.startswith("c\ufffdc")
        assert StepAttempt.objects.count() == 1
        assert step.tags["bad\ufffdkey"] == "half \ufffd"
        found = dict(Metric.objects.filter(run=step).values_list("name", "values__data"))
        assert found == {"loss\ufffd": {"loss\ufffd": "NaN"}, "far": {"far": 1}}

    def test_a_file_that_is_not_utf_8_in_a_traceback(self, studio):
        script = r"import os; open(os.fsdecode(b'/no/such/\xff\xfe'))"
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert run.status == Status.FAILED
        assert "No such file" in run.error
        assert StepAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_end_that_the_database_refuses_fails_in_plain_words(studio):
    """The last resort, for what nobody thought of: here a step's row that takes no such value."""
    run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
    claim = engine.claim(studio.worker.name, ["cpu-cluster"])
    flag = StopFlag()
    written = importlib.import_module("runs.engine.execute")._write_end(
        claim,
        flag,
        lambda: engine.finish(claim, Outcome.COMPLETED, step_changes={"reuse_reason": None}),
    )
    flag.close()
    assert written
    step = studio.step(run)
    assert step.run.status == Status.FAILED
    assert "could not write how the step ended" in step.run.error
    assert StepAttempt.objects.get().outcome == Outcome.FAILED


class TestStopping:
    """Endless steps, each with a grandchild, ended from outside."""

    SCRIPT = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        open(sys.argv[1], "w").write(str(child.pid))
        time.sleep(3600)
    """

    @pytest.fixture
    def started(self, studio):
        """Work on an endless step and ask it to stop, once it has started, for the given reason."""

        def start(reason, *, then=lambda: None, **step):
            told = studio.path / "grandchild"
            pipeline = studio.publish(
                steps={"one": {"arguments": [str(told)], **step}}, scripts={"one.py": self.SCRIPT}
            )
            run = studio.submit(pipeline)

            def ask():
                if told.exists() and told.read_text():
                    then()
                    studio.worker._stop_running(reason)
                else:
                    Timer(0.02, ask).start()

            if reason is not None:
                ask()
            bells = studio.work()
            run.refresh_from_db()
            wait_for_end(int(told.read_text()))
            return run, bells

        return start

    def test_cancel_kills_the_whole_group(self, started, studio):
        run, _ = started(Stop.CANCELED)
        assert studio.step(run).run.status == Status.CANCELED
        assert run.status == Status.CANCELED

    def test_a_time_out_kills_the_whole_group(self, started):
        run, _ = started(None, timeout_seconds=1)
        assert run.status == Status.FAILED
        assert "time-out of 1 s" in run.error
        assert StepAttempt.objects.get().outcome == Outcome.TIMED_OUT

    def test_a_stopping_worker_puts_its_step_back(self, started, studio):
        run, bells = started(Stop.INTERRUPTED, then=studio.worker.stopping.set)
        assert bells == [({"cpu-cluster": 1}, 0.0)]
        step = studio.step(run)
        assert (step.run.status, step.retries_used) == (Status.QUEUED, 0)
        assert StepAttempt.objects.get().outcome == Outcome.INTERRUPTED

    def test_nothing_is_left_when_the_script_ends_by_itself(self, studio):
        told = studio.path / "grandchild"
        script = self.SCRIPT.replace("\n        time.sleep(3600)", "")
        pipeline = studio.publish(
            steps={"one": {"arguments": [str(told)]}}, scripts={"one.py": script}
        )
        run = studio.run(pipeline)
        assert run.status == Status.COMPLETED, run.error
        wait_for_end(int(told.read_text()))


class TestBuilds:
    def failing(self, studio):
        pipeline = studio.publish(steps={"one": {}}, scripts={"one.py": ""})
        node = pipeline.graph.wire["ModuleNodes"][0]
        packages = ["python=3.99", {"pip": ["six==0.0.99"]}]
        conda = {"condaDependencies": {"dependencies": packages}}
        node["Runconfig"] = json.dumps({"environment": {"python": conda}})
        pipeline.graph.save()
        return studio.run(pipeline)

    def test_a_failed_build_says_its_reason_first_and_what_python_it_was(self, studio):
        run = self.failing(studio)
        first = run.error.splitlines()[0]
        assert "No solution found" in first
        assert "six==0.0.99" in first
        (warning,) = studio.step(run).warnings
        assert warning.startswith("Python 3.99 is not on this machine")


def test_a_step_that_registers_a_model_does_not_change_it_afterwards(studio, actor):
    """What it left when it registered stays; what it wrote later is said not to be kept."""
    run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": CHANGING}))
    step = studio.step(run).run
    for path in ("outputs/model.pkl", "outputs/same.txt"):
        services.keep_artifact(actor, step, path=path, stream=io.BytesIO(b"weights"))
        asset = services.create_asset(actor, name="m", paths=[path], run=step)
        services.register_model(actor, name="m", asset=asset)
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    kept = {row.path: studio_store().open(row.blob).read() for row in Artifact.objects.all()}
    assert kept == {
        "outputs/model.pkl": b"weights",
        "outputs/same.txt": b"weights",
        "outputs/other.txt": b"other",
    }
    [said] = studio.step(run).warnings
    assert said.startswith("outputs/model.pkl was not stored again")
    assert "m:1" in said


CHANGING = """
    from azureml.core import Run
    run = Run.get_context()
    files = {"model.pkl": "changed", "same.txt": "weights", "other.txt": "other"}
    for name, text in files.items():
        open(f"outputs/{name}", "w").write(text)
        run.upload_file(f"outputs/{name}", f"outputs/{name}")
"""
