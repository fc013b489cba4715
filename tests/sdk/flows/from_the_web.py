"""Datasets of files that some web server holds, read on the workstation and by a step."""

import functools
import http.server
import json
import re
import threading
from pathlib import Path

import pandas
from azureml.core import Dataset, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()

# The web
Path("web").mkdir()
Path("web/people.csv").write_text("name,age\nann,31\nbob,27\n")
Path("web/others.csv").write_text("name,age\neve,40\n")
Path("web/lines.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
pandas.DataFrame({"city": ["rome", "oslo"]}).to_parquet("web/cities.parquet")


class Server(http.server.SimpleHTTPRequestHandler):
    """Sends parts of files as well: the SDK reads parquet from nothing that cannot do that."""

    def do_GET(self):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            super().do_GET()
            return
        content = Path(self.translate_path(self.path)).read_bytes()
        start, end = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        self.wfile.write(content[start : end + 1])

    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()


handler = functools.partial(Server, directory="web")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
web = f"http://127.0.0.1:{server.server_port}"

# Read here
people = Dataset.Tabular.from_delimited_files(f"{web}/people.csv")
assert people.to_pandas_dataframe()["name"].tolist() == ["ann", "bob"]
lines = Dataset.Tabular.from_json_lines_files(f"{web}/lines.jsonl")
assert lines.to_pandas_dataframe()["a"].tolist() == [1, 2]
packed = Dataset.Tabular.from_parquet_files(f"{web}/cities.parquet")
assert packed.to_pandas_dataframe()["city"].tolist() == ["rome", "oslo"]
files = Dataset.File.from_files([f"{web}/people.csv", f"{web}/others.csv"])
assert len(files.download("web-here", overwrite=True)) == 2
registered = people.register(ws, "people-of-the-web")
assert registered.version == 1

# Read by a step, and others in its place
with_pandas = RunConfiguration()
with_pandas.environment.python.conda_dependencies = CondaDependencies.create(
    pip_packages=["azureml-defaults", "pandas", "pyarrow"]
)
chosen = PipelineParameter("people", default_value=registered)
step = PythonScriptStep(
    name="read",
    script_name="web_data.py",
    arguments=[
        files.as_named_input("files").as_download(),
        DatasetConsumptionConfig("people", chosen),
    ],
    inputs=[
        lines.as_named_input("lines"),
        packed.as_named_input("packed"),
    ],
    compute_target="cpu-cluster",
    runconfig=with_pandas,
    source_directory=STEPS,
    allow_reuse=False,
)
pipeline = Pipeline(ws, steps=[step])


def told(run):
    assert run.wait_for_completion(show_output=False) == "Finished"
    text = run.find_step_run("read")[0].get_stdout_log()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


seen = told(pipeline.submit("web"))
assert (seen["names"], seen["numbers"]) == (["ann", "bob"], [1, 2]), seen
assert seen["cities"] == ["rome", "oslo"], seen
assert seen["files"] == {
    name: Path("web", name).read_text() for name in ("people.csv", "others.csv")
}, seen
others = Dataset.Tabular.from_delimited_files(f"{web}/others.csv")
seen = told(pipeline.submit("web", pipeline_parameters={"people": others}))
assert seen["names"] == ["eve"], seen
server.shutdown()
