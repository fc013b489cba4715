"""Speed and memory beside their floors, measured in one run: `python -m tests.benchmarks`.

Each figure is the median of five; the load average stands beside the table. A floor is what the
same work costs with nothing of ours around it."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path

from tests.benchmarks import cost, history, slow, small
from tests.studio import ROOT, LiveStudio, free_port

REPEATS = 5


def median(measure) -> float:
    return statistics.median(measure() for _ in range(REPEATS))


# --- pipelines ------------------------------------------------------------------------------------
def write_pipeline(folder: Path, name: str, needs: dict[str, list[str]]) -> Path:
    """A pipeline of no-op steps; `needs` maps each step to those it waits for."""
    place = folder / name
    place.mkdir()
    (place / "noop.py").write_text("pass\n")
    lines = ["pipeline:", f"  name: {name}", "  default_compute: cpu-cluster", "  steps:"]
    for step, before in needs.items():
        lines += [
            f"    {step}:",
            "      type: PythonScriptStep",
            f"      name: {step}",
            "      script_name: noop.py",
            "      allow_reuse: false",
        ]
        if before:
            lines.append(f"      run_after: [{', '.join(before)}]")
    (place / "pipeline.yml").write_text("\n".join(lines) + "\n")
    return place


def publish_all(live: LiveStudio, folder: Path):
    chain = {f"s{n}": [f"s{n - 1}"] if n else [] for n in range(20)}
    fan = {f"s{n}": [] for n in range(50)}
    for name, needs in {"one": {"one": []}, "chain": chain, "fan": fan}.items():
        live.manage("publish", str(write_pipeline(folder, name, needs)), "--endpoint", name)


# --- floors ---------------------------------------------------------------------------------------
def bare_seconds(python: Path, script: Path, *, steps: int, at_once: int = 1) -> float:
    """Seconds to run the script bare, `steps` times, `at_once` at a time."""
    started = time.perf_counter()
    rounds = [steps // at_once + (n < steps % at_once) for n in range(at_once)]

    def walk(times):
        for _ in range(times):
            subprocess.run([python, script], check=True)

    walkers = [threading.Thread(target=walk, args=(times,)) for times in rounds]
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()
    return time.perf_counter() - started


# --- ours -----------------------------------------------------------------------------------------
def run_seconds(live: LiveStudio, endpoint: str) -> float:
    """Seconds from sending the POST to the run's stored end, both read from this machine's clock."""
    started = time.time()
    run = live.wait(live.trigger(endpoint))
    return datetime.fromisoformat(run["Status"]["EndTime"]).timestamp() - started


def calls_per_second(port: int, path: str, *, callers: int, headers: dict, body: bytes) -> float:
    """Answered POSTs per second over three seconds, each caller on one kept connection."""
    stop, counts = time.perf_counter() + 3, []

    def call():
        connection, count = HTTPConnection("127.0.0.1", port), 0
        while time.perf_counter() < stop:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            reply.read()
            assert reply.status == 200, reply.status
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / 3


def tree_pss_mib(pid: int) -> float:
    """Proportional set size, in MiB, of a process and all below it."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    parents = {int(a): int(b) for a, b in (row.split() for row in listing.stdout.splitlines()[1:])}
    tree, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in tree} - tree
        tree, grown = tree | more, bool(more)
    total = 0
    for member in tree:
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


class Floor:
    """The bare view, served like ours."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.environment = os.environ | {"FLOOR_DATABASE": str(folder / "floor.sqlite3")}

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.floor", str(self.port)],
            cwd=ROOT,
            env=self.environment,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                HTTPConnection("127.0.0.1", self.port).connect()
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError("the floor's server did not start")

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(10)


def rows(live: LiveStudio, folder: Path, cold_start: float):
    """`(what, ours, floor, ratio, limit)` as printable text, one after another."""
    time.sleep(5)
    yield "memory of the idle process tree, MiB", tree_pss_mib(live.process.pid), None, 350
    yield "cold start to healthy, s", cold_start, None, None

    # The shared bare environment exists after the first step.
    live.wait(live.trigger("one"))
    python = next((live.data / "envs").glob("*/bin/python"))
    script = folder / "one" / "noop.py"
    for what, endpoint, steps, at_once, limit in (
        ("POST to finished, one no-op step, ms", "one", 1, 1, 5),
        ("chain of 20 no-op steps, ms", "chain", 20, 1, 2),
        ("fan-out of 50 no-op steps, ms", "fan", 50, 2, 1.7),
    ):
        ours = median(lambda: run_seconds(live, endpoint)) * 1000  # noqa: B023
        floor = median(lambda: bare_seconds(python, script, steps=steps, at_once=at_once)) * 1000  # noqa: B023
        yield what, ours, floor, limit

    headers = {"Authorization": f"Bearer {live.token}", "Content-Type": "application/json"}
    body = b'{"ExperimentName": "bench"}'
    with Floor(folder) as floor:
        for callers in (1, 8):
            bare = calls_per_second(floor.port, "/insert", callers=callers, headers={}, body=b"")
            started = time.monotonic()
            ours = calls_per_second(
                live.port, "/endpoints/one/submit", callers=callers, headers=headers, body=body
            )
            yield f"accepted triggers per second, {callers} callers", ours, bare, None
            ended = drain(live)
            if callers == 8:
                per_minute = ours * 3 / (ended - started) * 60
                yield "completed no-op runs per minute", per_minute, None, None
    yield from small.rows(live)
    yield from slow.rows(live, lambda: tree_pss_mib(live.process.pid))
    drain(live)
    yield from history.rows(live)


def drain(live: LiveStudio) -> float:
    """Wait until nothing is live any more; the moment it was so."""
    count = "from runs.models import Run;print(Run.objects.live().count())"
    while int(live.manage("shell", "-v", "0", "-c", count)):
        time.sleep(0.2)
    return time.monotonic()


def of_runs(folder: Path):
    started = time.monotonic()
    with LiveStudio(folder, samples=False) as live:
        cold_start = time.monotonic() - started
        publish_all(live, folder)
        yield from rows(live, folder, cold_start)


def of_harm(folder: Path):
    with LiveStudio(folder, samples=False) as live:
        publish_all(live, folder)
        time.sleep(5)
        yield "memory of the idle process tree, MiB", tree_pss_mib(live.process.pid), None, 350
        yield from small.rows(live)
        yield from slow.rows(live, lambda: tree_pss_mib(live.process.pid))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only-cost", action="store_true", help="only what the SDK's calls cost")
    parser.add_argument("--only-harm", action="store_true", help="only what harmful callers cost")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        print("| What | Ours | Floor | Ratio | To reach |\n|---|---|---|---|---|")  # noqa: T201
        if chosen.only_cost:
            figures = cost.rows(folder)
        elif chosen.only_harm:
            figures = of_harm(folder)
        else:
            figures = chain(of_runs(folder), cost.rows(folder))
        for what, ours, floor, limit in figures:
            bare = f"{floor:.1f}" if floor else "--"
            ratio = f"{ours / floor:.2f}" if floor else "--"
            print(f"| {what} | {ours:.1f} | {bare} | {ratio} | {limit or '--'} |", flush=True)  # noqa: T201
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"Medians of {REPEATS}; load average {load}; {os.cpu_count()} cores.")  # noqa: T201


if __name__ == "__main__":
    main()
