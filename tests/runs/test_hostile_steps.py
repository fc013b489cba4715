"""Steps that misbehave harm themselves alone."""

from threading import Timer

import pytest

from runs.engine import cleanup, step_reports
from runs.models import Artifact, Outcome, StepAttempt
from runs.states import Status
from runs.steps import Stop
from tests.runs.processes import wait_for_end

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(studio):
    """The run of one script to its end; its argument is a file it may tell something in."""

    def run(script: str, **step):
        told = studio.path / "told"
        pipeline = studio.publish(
            steps={"one": {"arguments": [str(told)], **step}}, scripts={"one.py": script}
        )
        return studio.run(pipeline)

    return run


@pytest.fixture
def canceled_soon(studio):
    """Ask whatever is held to stop, when the step has said something."""

    def ask():
        logs = list((studio.path / "work").glob("*/log"))
        if logs and logs[0].stat().st_size:
            studio.worker._stop_running(Stop.CANCELED)
        else:
            Timer(0.02, ask).start()

    ask()


def test_one_that_prints_without_end_is_canceled(run, canceled_soon):
    assert run("import os\nwhile True: os.write(1, b'x' * 65536)").status == Status.CANCELED


def test_one_that_prints_too_much_fails_and_says_why(run, settings):
    settings.STUDIO_LOG_MAX_BYTES = 100_000
    found = run("import os\nwhile True: os.write(1, b'x' * 65536)")
    assert found.status == Status.FAILED
    assert "more than 100000 bytes to its log" in found.error


FLOOD = """
    import os, sys
    out = open(os.environ["STUDIO_FACTS_DIR"] + "/facts.jsonl", "a")
    print("start", flush=True)
    while True:
        out.write('{"kind": "tag", "key": "a", "value": "b", "run": "%s"}\\n' % os.environ["AZUREML_RUN_ID"])
"""


def test_one_that_tells_facts_without_end_is_canceled(run, canceled_soon):
    assert run(FLOOD).status == Status.CANCELED


def test_one_that_tells_too_many_facts_fails_and_says_why(run, monkeypatch):
    monkeypatch.setattr(step_reports, "MAX_REPORT_BYTES", 100_000)
    found = run(FLOOD)
    assert found.status == Status.FAILED
    assert "more than 100000 bytes of metrics" in found.error


def test_a_fact_of_a_kind_that_is_no_text_is_passed_over(run):
    found = run("""
        import json, os
        fact = {"kind": ["x"], "run": os.environ["AZUREML_RUN_ID"]}
        open(os.environ["STUDIO_FACTS_DIR"] + "/facts.jsonl", "a").write(json.dumps(fact) + "\\n")
    """)
    assert found.status == Status.COMPLETED, found.error


def test_a_daemon_does_not_outlive_its_step(run, studio):
    found = run("""
        import subprocess, sys
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        open(sys.argv[1], "w").write(str(child.pid))
    """)
    assert found.status == Status.COMPLETED, found.error
    cleanup.CLEANER.clean_up()
    wait_for_end(int((studio.path / "told").read_text()))


def test_outputs_that_lead_elsewhere_are_not_kept(run, studio, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("secret")
    found = run(f"""
        import os, shutil
        shutil.rmtree("outputs"); os.symlink({str(tmp_path / "private")!r}, "outputs")
    """)
    assert found.status == Status.COMPLETED
    assert not Artifact.objects.exists()
    assert "it is a link" in studio.step(found).warnings[0]


def test_killing_the_fork_server_is_a_lost_attempt_and_not_for_ever(run):
    found = run("import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    assert found.status == Status.FAILED
    assert "interpreter that had started it was killed" in found.error
    assert list(StepAttempt.objects.values_list("outcome", flat=True)) == [Outcome.LOST] * 2


@pytest.mark.parametrize("target", [".", "again", "nothing"])
def test_a_link_in_circles_or_to_nothing_is_refused_by_name(run, target):
    found = run(
        f"""
        import os, sys
        os.makedirs(sys.argv[2]); os.symlink("{target}", sys.argv[2] + "/again")
        """,
        outputs={"made": {"destination": "mid"}},
        arguments=["told", "output:made"],
    )
    assert found.status == Status.FAILED
    assert "again is no plain file" in found.error
