"""The in-step azureml package, run by a bare Python as a step would."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from endpoints import data
from runs.steps.environments import ensure, parse
from tests.runs.wire_stub import WireStub

SDK = Path(__file__).resolve().parents[2] / "runs" / "sdk"
BARE = (sys.executable, "-S")  # without any installed package
RUN = "11111111-1111-4111-8111-111111111111"
PARENT = "22222222-2222-4222-8222-222222222222"
HISTORY = f"/history/v1.0/runs/{RUN}"


@pytest.fixture
def wire():
    stub = WireStub()
    server = stub.serve()
    yield stub
    server.shutdown()
    server.server_close()


@pytest.fixture
def step(tmp_path):
    """Run a script as a step: `step(code, **environment)` -> out, err, code, facts."""
    facts = tmp_path / "facts"
    facts.mkdir()
    (tmp_path / "work").mkdir()
    (facts / "applied").write_text(str(2**40))  # a worker that is never behind

    def run(code, *, wire=None, python=BARE, offline=False, **extra):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK)}
        if not offline:
            environment |= {
                "AZUREML_RUN_ID": RUN,
                "AZUREML_RUN_TOKEN": "the-token",
                "AZUREML_ARM_SUBSCRIPTION": "sub",
                "AZUREML_ARM_RESOURCEGROUP": "group",
                "AZUREML_ARM_WORKSPACE_NAME": "space",
                "AZUREML_ARM_PROJECT_NAME": "exp",
                "AZUREML_EXPERIMENT_ID": "exp-id",
                "AZUREML_SERVICE_ENDPOINT": wire.url if wire else "http://127.0.0.1:1",
                "STUDIO_FACTS_DIR": str(facts),
            }
        done = subprocess.run(
            [*python, "-W", "error", "-c", f"from azureml.core import Run\n{code}"],
            capture_output=True,
            text=True,
            check=False,
            env=environment | extra,
            cwd=tmp_path / "work",
        )
        path = facts / "facts.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return SimpleNamespace(
            out=done.stdout.strip(),
            err=done.stderr,
            code=done.returncode,
            facts=[json.loads(line) for line in lines],
        )

    run.facts = facts
    run.folder = tmp_path / "work"
    return run


def only(facts, *keys):
    return [tuple(fact[key] for key in keys) for fact in facts]


# Facts


def test_scalars_keep_value_type_and_step(step):
    done = step(
        "run = Run.get_context()\n"
        "run.log('acc', 0.5)\nrun.log('epoch', 3, step=7)\nrun.log('ok', True)\nrun.log('note', 'x')"
    )
    assert done.code == 0, done.err
    assert only(done.facts, "kind", "name", "type", "columns", "step", "value", "run") == [
        ("metric", "acc", "azureml.v1.scalar", {"acc": "double"}, None, {"acc": 0.5}, RUN),
        ("metric", "epoch", "azureml.v1.scalar", {"epoch": "int"}, 7, {"epoch": 3}, RUN),
        ("metric", "ok", "azureml.v1.scalar", {"ok": "bool"}, None, {"ok": True}, RUN),
        ("metric", "note", "azureml.v1.scalar", {"note": "string"}, None, {"note": "x"}, RUN),
    ]
    assert done.facts[0]["at"].endswith("Z")


def test_values_json_cannot_hold_are_kept(step):
    done = step(
        "from decimal import Decimal\nrun = Run.get_context()\n"
        "for value in (float('nan'), float('-inf'), Decimal('1.5'), 10**30, None, {'a': 1}):\n"
        "    run.log('v', value)"
    )
    assert done.code == 0, done.err
    assert [(fact["columns"]["v"], fact["value"]["v"]) for fact in done.facts] == [
        ("double", "NaN"),
        ("double", "-Infinity"),
        ("double", 1.5),
        ("string", str(10**30)),
        ("string", None),
        ("string", "{'a': 1}"),
    ]


def test_list_row_and_table_are_rows_of_typed_columns(step):
    done = step(
        "run = Run.get_context()\nrun.log_list('l', [1, 2.5])\nrun.log_row('r', epoch=1, error=0.5)\n"
        "run.log_table('t', {'x': [1, 2], 'y': ['a', 'b']})"
    )
    assert only(done.facts, "name", "type", "columns", "value") == [
        ("l", "azureml.v1.list", {"l": "double"}, {"l": 1.0}),
        ("l", "azureml.v1.list", {"l": "double"}, {"l": 2.5}),
        ("r", "azureml.v1.table", {"epoch": "int", "error": "double"}, {"epoch": 1, "error": 0.5}),
        ("t", "azureml.v1.table", {"x": "int", "y": "string"}, {"x": 1, "y": "a"}),
        ("t", "azureml.v1.table", {"x": "int", "y": "string"}, {"x": 2, "y": "b"}),
    ]


@pytest.mark.parametrize(
    "call",
    [
        "run.log('l', [1])",
        "run.log_row('r', a=[1])",
        "run.log_table('t', {'a': [1], 'b': [1, 2]})",
        "run.log_image('i')",
        "run.upload_file('f', 'missing.txt')",
        "run.upload_file('../f', __import__('io').BytesIO(b'x'))",
    ],
)
def test_a_wrong_call_says_so_and_leaves_no_fact(step, call):
    done = step(
        "from azureml.exceptions import UserErrorException\nrun = Run.get_context()\n"
        f"try:\n    {call}\nexcept UserErrorException as error:\n    print(error)"
    )
    assert done.code == 0, done.err
    assert done.out
    assert done.facts == []


def test_tags_properties_and_names_are_texts(step):
    done = step(
        "run = Run.get_context()\nrun.tag('a', 1)\nrun.tag('b')\nrun.set_tags({'c': True})\n"
        "run.remove_tags(['a'])\nrun.add_properties({'p': 2})\nrun.display_name = 'D'\nrun.description = 'E'"
    )
    assert [{key: fact[key] for key in fact if key != "run"} for fact in done.facts] == [
        {"kind": "tag", "key": "a", "value": "1"},
        {"kind": "tag", "key": "b", "value": ""},
        {"kind": "tag", "key": "c", "value": "True"},
        {"kind": "remove_tag", "key": "a"},
        {"kind": "property", "key": "p", "value": "2"},
        {"kind": "display_name", "value": "D"},
        {"kind": "description", "value": "E"},
    ]


def test_uploads_are_copies_of_what_was_there(step):
    done = step(
        "import io\nrun = Run.get_context()\nopen('m.bin', 'wb').write(b'first')\n"
        "run.upload_file('./outputs/m.bin', 'm.bin')\nopen('m.bin', 'wb').write(b'second')\n"
        "run.upload_file('text', io.StringIO('\\u00e9'))\n"
        "run.upload_files(['one'], ['m.bin'])",
    )
    assert done.code == 0, done.err
    assert {fact["path"]: Path(fact["file"]).read_bytes() for fact in done.facts} == {
        "outputs/m.bin": b"first",
        "text": "é".encode(),
        "one": b"second",
    }
    assert all(Path(fact["file"]).parent == step.facts / "uploads" for fact in done.facts)


def test_upload_folder_keeps_relative_names(step):
    (step.folder / "d" / "e").mkdir(parents=True)
    (step.folder / "d" / "e" / "f.txt").write_text("x")
    done = step("Run.get_context().upload_folder('model', 'd')")
    assert only(done.facts, "kind", "path") == [("upload", "model/e/f.txt")]


def test_image_is_uploaded_and_logged(step):
    (step.folder / "plot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    done = step("Run.get_context().log_image('plot', path='plot.svg')")
    upload, metric = done.facts
    assert upload["path"] == "plot.svg"
    assert metric["type"] == "azureml.v2.image"
    assert metric["value"] == {"plot": f"aml://artifactId/ExperimentRun/dcid.{RUN}/plot.svg"}


def test_figure_is_drawn_into_a_png(step):
    done = step(
        "class Figure:\n    def savefig(self, stream, format): stream.write(b'png')\n"
        "Run.get_context().log_image('fig', plot=Figure())"
    )
    assert done.facts[0]["path"].startswith("fig_") and done.facts[0]["path"].endswith(".png")
    assert Path(done.facts[0]["file"]).read_bytes() == b"png"


def test_confusion_matrix_is_an_artifact(step):
    done = step("Run.get_context().log_confusion_matrix('cm', {'data': {'matrix': [[1]]}})")
    assert json.loads(Path(done.facts[0]["file"]).read_text()) == {"data": {"matrix": [[1]]}}
    assert done.facts[1]["type"] == "azureml.v2.confusion_matrix"


def test_fail_tells_message_and_code(step):
    done = step("Run.get_context().fail(ValueError('bad'), 'MyCode')\nRun.get_context().complete()")
    assert only(done.facts, "status", "message", "code") == [
        ("Failed", "ValueError: bad", "MyCode"),
        ("Completed", None, None),
    ]


def test_parent_is_told_through_the_same_file(step):
    done = step(
        "run = Run.get_context()\nrun.parent.log('best', 1)\nrun.parent.tag('t', 'v')",
        AZUREML_ROOT_RUN_ID=PARENT,
    )
    assert done.code == 0, done.err
    assert only(done.facts, "kind", "run") == [("metric", PARENT), ("tag", PARENT)]


def test_threads_and_processes_write_whole_lines(step):
    done = step(
        "import os, threading\nrun = Run.get_context()\n"
        "def many():\n    for n in range(200): run.log('n', n); run.tag('k', 'x' * 500)\n"
        "child = os.fork()\n"
        "threads = [threading.Thread(target=many) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "child and os.waitpid(child, 0)",
    )
    assert done.code == 0, done.err
    assert len(done.facts) == 2 * 4 * 200 * 2


def test_trouble_with_the_facts_file_does_not_fail_the_step(step):
    done = step(
        "run = Run.get_context()\nrun.log('a', 1)\nprint('on')", STUDIO_FACTS_DIR="/nowhere"
    )
    assert (done.code, done.out) == (0, "on")
    assert "could not be kept" in done.err


def test_an_oversized_fact_is_told_not_written(step):
    done = step("run = Run.get_context()\nrun.log('big', 'x' * 2_000_000)\nrun.log('small', 1)")
    assert only(done.facts, "name") == [("small",)]
    assert "'big' is larger than 1 MiB" in done.err


def test_context_is_one_object(step):
    assert (
        step("print(Run.get_context() is Run.get_context(), Run.get_context().id)").out
        == f"True {RUN}"
    )


def test_outside_a_run_it_prints(step):
    done = step(
        "run = Run.get_context()\nrun.log('a', 1)\nprint(run.id.split('_')[0])", offline=True
    )
    assert done.out == "Attempted to log scalar metric a:\n1\nOfflineRun"
    done = step("Run.get_context(allow_offline=False)", offline=True)
    assert done.code == 1
    assert "AZUREML_RUN_ID" in done.err


def test_import_stays_light(step):
    """Neither json nor anything for the network is loaded before it is needed."""
    done = step(
        "import sys\nRun.get_context().log('a', 1)\nprint('json' in sys.modules, 'ssl' in sys.modules)"
    )
    assert done.out == "False False"


def test_import_paths_of_v1_scripts_exist(step):
    done = step(
        "import azureml.core\n"
        "from azureml.core import Dataset, Datastore, Experiment, Keyvault, Model, Workspace\n"
        "from azureml.core.run import Run, _OfflineRun\nfrom azureml.core.dataset import Dataset\n"
        "from azureml.core.workspace import Workspace\nfrom azureml.core.model import Model\n"
        "from azureml.core.experiment import Experiment\nfrom azureml.core.keyvault import Keyvault\n"
        "from azureml.data import TabularDataset, FileDataset\nprint(azureml.core.VERSION)"
    )
    assert done.out.startswith("1."), done.err


def test_package_is_written_for_old_pythons():
    # In a process of its own: in Python 3.11.2 parsing fails when something else is collected meanwhile.
    parse = "[ast.parse(open(path).read(), path, feature_version=(3, 6)) for path in sys.argv[1:]]"
    files = list(SDK.rglob("*.py"))
    subprocess.run([sys.executable, "-c", f"import ast, sys; {parse}", *files], check=True)


# Datasets of the step


def test_mounted_input_is_its_path_and_outputs_are_known(step):
    done = step(
        "run = Run.get_context()\nprint(run.input_datasets['folder'], run.output_datasets['out'])\n"
        "try:\n    run.input_datasets['other']\nexcept KeyError as error:\n    print(error)",
        AZUREML_DATASET_ENVIRONMENT_VARS="folder:mount",
        folder="/data/in",
        AZUREML_DATASET_FILE_OUTPUTS="out",
        out="/data/out",
    )
    assert done.out.startswith("/data/in /data/out"), done.err
    assert "it has: folder" in done.out


def lay_out(step, name, **given):
    (step.facts / "inputs.json").write_text(json.dumps({name: given}))
    return {"AZUREML_DATASET_ENVIRONMENT_VARS": f"{name}:Direct", name: "saved-id"}


def test_one_input_that_cannot_be_read_is_no_trouble_to_the_others(step, wire, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    filtered = '---\npaths:\n  - file: "x"\ntransformations:\n  - filter: "col(\'v\') > 1"\n'
    dataset_answers(wire, filtered, kind="tabular")
    environment = lay_out(step, "files", type="file", files=[str(tmp_path / "a.txt")])
    environment["AZUREML_DATASET_ENVIRONMENT_VARS"] = "files:Direct,table:Direct,folder:mount"
    done = step(
        "inputs = Run.get_context().input_datasets\n"
        "print(len(inputs), list(inputs), 'table' in inputs, inputs.get('none', 1))\n"
        "print(inputs['files'].to_path(), inputs['files'] is inputs['files'], inputs['folder'])\n"
        "for ask in (lambda: inputs['table'], lambda: inputs.get('table'), lambda: dict(inputs),\n"
        "            lambda: list(inputs.values()), lambda: inputs.pop('table')):\n"
        "    try:\n        ask()\n    except Exception as error:\n        print(error)\n"
        "del inputs['table']\nprint(sorted(dict(inputs)), len(inputs.items()))",
        wire=wire,
        table="saved-id",
        folder="/data/in",
        **environment,
    )
    first, second, *refused, last = done.out.splitlines()
    assert first == "3 ['files', 'table', 'folder'] True 1", done.err
    assert second == "['/a.txt'] True /data/in"
    assert last == "['files', 'folder'] 2"
    assert len(refused) == 5
    for line in refused:
        assert line.startswith("The dataset's transformation 'filter' needs the real azureml pack")
        assert "add 'azureml-sdk'" in line


def test_direct_file_input_reads_the_files_laid_out(step, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    files = [tmp_path / "in" / "a.txt", tmp_path / "in" / "sub" / "b.txt"]
    for file in files:
        file.write_text(file.name)
    environment = lay_out(step, "files", type="file", id="saved-id", files=[str(f) for f in files])
    done = step(
        "ds = Run.get_context().input_datasets['files']\nprint(ds.id, ds.to_path())\n"
        "print([open(p).read() for p in ds.download('copy')])\n"
        "with ds.mount() as mounted: print(open(mounted.mount_point + '/sub/b.txt').read())",
        **environment,
    )
    assert done.out.splitlines() == [
        "saved-id ['/a.txt', '/sub/b.txt']",
        "['a.txt', 'b.txt']",
        "b.txt",
    ]


def test_missing_pandas_says_what_to_add(step, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    environment = lay_out(step, "table", type="tabular", files=[str(tmp_path / "a.csv")])
    done = step(
        "import sys; sys.modules['pandas'] = None\n"
        "Run.get_context().input_datasets['table'].to_pandas_dataframe()",
        **environment,
    )
    assert "add 'pandas' to the pip packages of the step's environment" in done.err


@pytest.fixture(scope="session")
def pandas_python(tmp_path_factory):
    """The environment of a step that asks for pandas."""
    asked = {"python": {"condaDependencies": {"dependencies": [{"pip": ["pandas"]}]}}}
    root = tmp_path_factory.mktemp("envs")
    return (str(ensure(parse(asked), root=root, log=lambda line: None).python),)


def frames(step, python, *expressions, **given):
    code = "ds = Run.get_context().input_datasets['table']\n" + "".join(
        f"frame = ds.{expression}.to_pandas_dataframe()\n"
        "print([list(frame.columns), *frame.values.tolist()])\n"
        for expression in expressions
    )
    done = step(code, python=python, **lay_out(step, "table", type="tabular", **given))
    assert done.code == 0, done.err
    return [ast.literal_eval(line) for line in done.out.splitlines()]


def test_tabular_input_becomes_a_data_frame(step, tmp_path, pandas_python):
    (tmp_path / "a.csv").write_text("\ufeffx;y\n1;é\n2;b\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("x;y\n3;c\n4;d\n", encoding="utf-8")
    everything, some, none = frames(
        step,
        pandas_python,
        "take(9)",
        "skip(1).take(2)",
        "take(0)",
        format="delimited",
        files=[str(tmp_path / "a.csv"), str(tmp_path / "b.csv")],
        options={"delimiter": ";", "header": "all_files_same_headers", "encoding": "utf8"},
    )
    assert everything == [["x", "y"], [1, "é"], [2, "b"], [3, "c"], [4, "d"]]
    assert some == [["x", "y"], [2, "b"], [3, "c"]]
    assert none[1:] == []


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("no_header", [["Column1", "Column2"], ["x", "y"], ["1", "2"], ["3", "4"]]),
        ("from_first_file", [["x", "y"], [1, 2], [3, 4]]),
    ],
)
def test_headings_are_where_the_dataset_says(step, tmp_path, pandas_python, header, rows):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("3,4\n")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    (found,) = frames(
        step,
        pandas_python,
        "take(9)",
        format="delimited",
        files=files,
        options={"header": header},
    )
    assert [[str(cell) for cell in row] for row in found] == [
        [str(cell) for cell in row] for row in rows
    ]


def test_json_lines_are_read(step, tmp_path, pandas_python):
    (tmp_path / "a.jsonl").write_text('{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n')
    (found,) = frames(
        step, pandas_python, "take(1)", format="json_lines", files=[str(tmp_path / "a.jsonl")]
    )
    assert found == [["x", "y"], [1, "a"]]


TYPES = {
    "i": "int",
    "f": "float",
    "b": "boolean",
    "s": "string",
    "d": {"datetime": {"formats": ["%d.%m.%Y", "%Y-%m-%d"]}},
    "not there": "int",
}
UNEVEN = """\
i,f,b,s,d
1,1.5,true,007,2020-01-02
,,,,
q,q,yes,NA,nope
3.7,inf,1,,03.02.2021
-4.9,2,False,z,2021-02-30
"""


def typed(step, path, python, text, *, columns, **options):
    """Type and values of each column of a table, as the step sees them."""
    path.write_text(text)
    done = step(
        "frame = Run.get_context().input_datasets['table'].to_pandas_dataframe()\n"
        "print({name: [str(frame[name].dtype), *map(str, frame[name])] for name in frame})",
        python=python,
        **lay_out(
            step,
            "table",
            type="tabular",
            format="delimited",
            files=[str(path)],
            options=options,
            columns=columns,
        ),
    )
    assert done.code == 0, done.err
    return ast.literal_eval(done.out)


def test_columns_have_the_types_that_the_dataset_states(step, tmp_path, pandas_python):
    """As the real SDK makes them of the same file."""
    found = typed(
        step,
        tmp_path / "a.csv",
        pandas_python,
        UNEVEN,
        columns={"types": TYPES},
        infer_column_types=False,
    )
    assert found.pop("d")[1:] == ["2020-01-02 00:00:00", "NaT", "NaT", "2021-02-03 00:00:00", "NaT"]
    assert found == {
        "i": ["float64", "1.0", "nan", "nan", "3.0", "-4.0"],
        "f": ["float64", "1.5", "nan", "nan", "inf", "2.0"],
        "b": ["object", "True", "None", "None", "True", "False"],
        "s": ["object", "007", "None", "NA", "None", "z"],
    }


def test_whole_columns_have_plain_types_and_a_stated_text_is_not_guessed_at(
    step, tmp_path, pandas_python
):
    types = {"Column1": "int", "Column2": "boolean", "Column3": "string"}
    columns = {"types": types, "choices": [["drop_columns", ["Column4"]]]}
    found = typed(
        step,
        tmp_path / "a.csv",
        pandas_python,
        "1,true,007,x\n2,0,010,y\n",
        columns=columns,
        header="no_header",
    )
    assert found == {
        "Column1": ["int64", "1", "2"],
        "Column2": ["bool", "True", "False"],
        "Column3": ["object", "007", "010"],
    }


def test_blanks_around_a_value_are_none_of_it(step, tmp_path, pandas_python):
    """As in a file whose fields are parted by a comma and a blank; a text keeps them. Without a layout,
    each moment is read by itself."""
    types = {
        "day": {"datetime": {"formats": "%Y-%m-%d"}},
        "any": "datetime",
        "yes": "boolean",
        "text": "string",
    }
    found = typed(
        step,
        tmp_path / "a.csv",
        pandas_python,
        "day,any,yes,text\n 2019-01-02,2019-01-02, true, x\n2019-02-03 ,2019-02-03T10:00:00 ,0 ,y\n",
        columns={"types": types},
    )
    assert {name: column[1:] for name, column in found.items()} == {
        "day": ["2019-01-02 00:00:00", "2019-02-03 00:00:00"],
        "any": ["2019-01-02 00:00:00", "2019-02-03 10:00:00"],
        "yes": ["True", "False"],
        "text": [" x", "y"],
    }


def test_dates_are_in_utc_and_one_format_needs_no_list(step, tmp_path, pandas_python):
    """As the SDK writes what it has found in a file, and reads it itself."""
    types = {
        "iso": {"datetime": {"formats": "%Y-%m-%d"}},
        "zone": {"datetime": {"formats": "%Y-%m-%dT%H:%M:%S%z"}},
        "yes": {"boolean": {"true_values": "y", "false_values": ["n", 0]}},
    }
    found = typed(
        step,
        tmp_path / "a.csv",
        pandas_python,
        "iso,zone,yes\n2019-01-02,2019-01-02T10:00:00Z,Y\n2020-02-28,2020-02-28T10:00:00+02:00,0\n",
        columns={"types": types},
    )
    kinds = [found[name].pop(0) for name in ("iso", "zone", "yes")]
    assert all(kind.startswith("datetime64[") and "UTC" not in kind for kind in kinds[:2])
    assert kinds[2] == "bool"
    assert found == {
        "iso": ["2019-01-02 00:00:00", "2020-02-28 00:00:00"],
        "zone": ["2019-01-02 10:00:00", "2020-02-28 08:00:00"],
        "yes": ["True", "False"],
    }


@pytest.mark.parametrize(
    "choice", [["drop_columns", ["when", "where"]], ["keep_columns", ["number"]]]
)
def test_a_column_that_is_left_out_cannot_be_wrong(step, tmp_path, pandas_python, choice):
    found = typed(
        step,
        tmp_path / "a.csv",
        pandas_python,
        "when,where,number\nnever,x,1\n",
        columns={
            "types": {
                "when": {"datetime": {"formats": "%"}},
                "where": {"stream_info": {"escaped": False}},
                "number": "int",
            },
            "choices": [choice],
        },
    )
    assert found == {"number": ["int64", "1"]}


def test_a_value_that_is_not_of_its_type_is_an_error_where_that_is_asked_for(
    step, tmp_path, pandas_python
):
    (tmp_path / "a.csv").write_text("i\n1\nq\n")
    done = step(
        "Run.get_context().input_datasets['table'].to_pandas_dataframe(on_error='fail')",
        python=pandas_python,
        **lay_out(
            step,
            "table",
            type="tabular",
            format="delimited",
            files=[str(tmp_path / "a.csv")],
            columns={"types": {"i": "int"}},
        ),
    )
    assert "The column 'i' has values that are no int." in done.err


def dataset_answers(wire, definition, kind="file"):
    document = {
        "datasetId": "ds",
        "name": "iris",
        "datasetType": kind,
        "latest": {"versionId": "3", "savedDatasetId": "saved-id"},
    }
    wire.answer("GET", "/dataset/v1.0/datasets/query/name=iris", document)
    wire.answer(
        "GET", "/dataset/v1.0/datasets/query/savedDatasetId=saved-id", {"value": [document]}
    )
    wire.answer(
        "GET",
        "/data/v1.0/dataversion/unregistered-saved-id/versions/1",
        {"legacyDataflow": definition},
    )


def test_dataset_by_name_is_fetched_from_its_address(step, wire):
    wire.answer("GET", "/files/iris.csv", b"x,y\n1,2\n")
    definition = (
        f'---\ntype: mltable\npaths:\n  - file: "{wire.url}/files/iris.csv"\ntransformations:\n'
        '  - read_delimited:\n      encoding: utf8\n      delimiter: ","\n'
        "      header: all_files_same_headers\n"
        "  - convert_column_types:\n      - columns: x\n        column_type: int\n"
        "      - columns:\n          - y\n        column_type:\n          datetime:\n            formats:\n"
        '              - "%Y"\nmetadata:\n  infer_column_types: "False"\n'
    )
    dataset_answers(wire, definition, kind="tabular")
    done = step(
        "from azureml.core import Dataset\n"
        "ds = Dataset.get_by_name(Run.get_context().experiment.workspace, 'iris', version=3)\n"
        "print(ds.id, ds.version, ds._source.options['delimiter'])\n"
        "print(ds._source.columns['types'])\n"
        "(name, path), = ds._source.files()\nprint(name, path.rpartition('/')[2])",
        wire=wire,
    )
    types = {"x": "int", "y": {"datetime": {"formats": ["%Y"]}}}
    assert done.out.splitlines()[:3] == ["saved-id 3 ,", str(types), "iris.csv iris.csv"], done.err
    assert "versionId=3" in wire.asked[0].query
    assert wire.asked[0].token == "Bearer the-token"
    assert wire.asked_for("GET", "/files/iris.csv")[0].token is None


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_a_definition_states_one_format_as_a_scalar(step, wire, quote):
    """And what it states of a column that is dropped is no hindrance."""
    layout = f"{quote}d %Y-%m-%d %H:%M{quote}"
    definition = (
        '---\npaths:\n  - file: "x"\ntransformations:\n  - read_delimited:\n      delimiter: ","\n'
        "  - convert_column_types:\n      - columns: when\n        column_type:\n"
        f"          datetime:\n            formats: {layout}\n      - columns: where\n"
        "        column_type:\n          stream_info:\n            escaped: false\n"
        "  - drop_columns: where\n"
    )
    dataset_answers(wire, definition, kind="tabular")
    done = step(
        "from azureml.core import Dataset\n"
        "ds = Dataset.get_by_name(Run.get_context().experiment.workspace, 'iris')\n"
        "print(ds._source.columns['types']['when'], ds._source.columns['choices'])",
        wire=wire,
    )
    when = {"datetime": {"formats": "d %Y-%m-%d %H:%M"}}
    assert done.out == f"{when} {[['drop_columns', ['where']]]}", done.err


@pytest.mark.parametrize(
    ("transformation", "named"),
    [
        ("  - take_random_sample:\n      probability: 0.5\n", "'take_random_sample'"),
        (
            "  - convert_column_types:\n      - columns: x\n        column_type:\n"
            "          stream_info:\n            escaped: false\n",
            "'stream_info'",
        ),
    ],
)
def test_what_it_cannot_do_to_a_dataset_it_says(step, wire, transformation, named):
    definition = (
        f'---\npaths:\n  - file: "{wire.url}/files/iris.csv"\ntransformations:\n'
        f'  - read_delimited:\n      delimiter: ","\n{transformation}'
    )
    dataset_answers(wire, definition, kind="tabular")
    done = step(
        "from azureml.core import Dataset\n"
        "Dataset.get_by_name(Run.get_context().experiment.workspace, 'iris')",
        wire=wire,
    )
    assert named in done.err and "needs the real azureml packages. To have" in done.err


def test_direct_input_not_laid_out_is_read_from_its_datastore(step, wire):
    definition = json.dumps(
        {"paths": [{"pattern": "azureml://subscriptions/s/datastores/store/paths/in/**"}]}
    )
    dataset_answers(wire, definition)
    host = wire.url.removeprefix("http://")
    section = {
        "accountName": "a",
        "containerName": "ws",
        "endpoint": f"c@{host}",
        "protocol": "http",
    }
    section["sasToken"] = "?sig=XYZ"
    wire.answer(
        "GET", "/datastore/v1.0/datastores/store", {"name": "store", "azureStorageSection": section}
    )
    names = "".join(f"<Blob><Name>{name}</Name></Blob>" for name in ("in/a.txt", "in/b/c.txt"))
    listing = f"<EnumerationResults><Blobs>{names}</Blobs><NextMarker/></EnumerationResults>"
    wire.answer("GET", "/ws", listing.encode())
    wire.answer("GET", "/ws/in/a.txt", b"A")
    wire.answer("GET", "/ws/in/b/c.txt", b"C")
    done = step(
        "ds = Run.get_context().input_datasets['files']\n"
        "print(ds.to_path(), [open(p).read() for p in ds.download('copy')])",
        wire=wire,
        AZUREML_DATASET_ENVIRONMENT_VARS="files:Direct",
        files="saved-id",
    )
    assert done.out == "['/a.txt', '/b/c.txt'] ['A', 'C']", done.err
    assert "sig=XYZ" in wire.asked_for("GET", "/ws/in/a.txt")[0].query


# Questions


def test_run_reads_itself_and_its_parent(step, wire):
    document = {
        "runId": RUN,
        "parentRunId": PARENT,
        "runNumber": 4,
        "name": "train",
        "status": "Running",
        "tags": {"a": "1"},
        "properties": {},
    }
    wire.answer("GET", HISTORY, document)
    wire.answer("GET", f"/history/v1.0/runs/{PARENT}", {"runId": PARENT, "tags": {"p": "q"}})
    done = step(
        "run = Run.get_context()\n"
        "print(run.number, run.name, run.status, run.get_tags(), run.parent.id, run.parent.get_tags())\n"
        "run.parent.log('x', 1)",
        wire=wire,
    )
    assert done.out == f"4 train Running {{'a': '1'}} {PARENT} {{'p': 'q'}}", done.err
    assert only(done.facts, "run") == [(PARENT,)]


def test_a_run_names_its_page(step):
    done = step("print(Run.get_context().get_portal_url())")
    assert done.out == f"http://127.0.0.1:1/runs/{RUN}"


def test_secrets_come_from_the_workspace(step, wire):
    wire.answer("GET", "/credential/v2.0/secrets/key", {"name": "key", "value": "s3cret"})
    wire.answer("PUT", "/credential/v2.0/secrets", {})
    done = step(
        "run = Run.get_context()\nprint(run.get_secret('key'), run.get_secrets(['key']))\n"
        "run.experiment.workspace.get_default_keyvault().set_secret('n', 'v')",
        wire=wire,
    )
    assert done.out == "s3cret {'key': 's3cret'}", done.err
    put = wire.asked_for("PUT", "/credential/v2.0/secrets")[0]
    assert put.json == {"name": "n", "value": "v", "contentType": "text/plain"}


def test_a_refusal_reaches_the_script_in_the_studio_s_words(step, wire):
    body = {"error": {"message": "You may not read key", "details": []}}
    wire.answer("GET", "/credential/v2.0/secrets/key", body, status=403)
    done = step(
        "from azureml.exceptions import ServiceException\n"
        "try:\n    Run.get_context().get_secret('key')\n"
        "except ServiceException as error:\n    print(error.status_code, error)",
        wire=wire,
    )
    assert done.out.startswith("403 You may not read key")


def test_a_restarting_studio_is_waited_for(step, wire):
    path = "/credential/v2.0/secrets/key"
    wire.answers["GET", path] = [(503, {}), (200, {"value": "late"})]
    assert step("print(Run.get_context().get_secret('key'))", wire=wire).out == "late"


def test_metrics_are_read_back_as_they_were_logged(step, wire):
    metric = f"/metric/v2.0/runs/{RUN}"
    names = [{"metricKey": {"name": name}} for name in ("acc", "t")]
    wire.answer("POST", f"{metric}/list", {"value": names, "continuationToken": None})
    acc = {"columns": {"acc": "double"}, "properties": {"uxMetricType": "azureml.v1.scalar"}}
    acc["value"] = [{"data": {"acc": 1}}, {"data": {"acc": "NaN"}}]
    table = {"columns": {"x": "int"}, "properties": {"uxMetricType": "azureml.v1.table"}}
    table["value"] = [{"data": {"x": 1}}]
    wire.answers["POST", f"{metric}/full"] = [(200, acc), (200, table), (404, {})]
    done = step(
        "run = Run.get_context()\nprint(run.get_metrics())\nprint(run.get_metrics('none'))",
        wire=wire,
    )
    assert done.out.splitlines() == ["{'acc': [1.0, nan], 't': {'x': 1}}", "{}"], done.err


def test_reading_waits_until_the_worker_has_applied_what_was_written(step, wire):
    wire.answer("GET", HISTORY, {"runId": RUN, "tags": {}})
    (step.facts / "applied").write_text("0")
    done = step(
        "import os, threading, time\nrun = Run.get_context()\nrun.tag('a', 'b')\n"
        "folder = os.environ['STUDIO_FACTS_DIR']\nstarted = time.time()\n"
        "def apply():\n"
        "    size = os.path.getsize(folder + '/facts.jsonl')\n"
        "    with open(folder + '/applied', 'w') as file: file.write(str(size))\n"
        "threading.Timer(0.3, apply).start()\nrun.get_tags()\nprint(0.3 <= time.time() - started < 5)",
        wire=wire,
    )
    assert done.out == "True", done.err


def test_child_run_goes_over_the_wire(step, wire):
    child = "33333333-3333-4333-8333-333333333333"
    runs = f"/history/v1.0/experiments/exp/runs/{child}"
    wire.answer("PATCH", runs, {"runId": child, "dataContainerId": f"dcid.{child}"})
    wire.answer("POST", f"{runs}/events", {})
    wire.answer("POST", f"/metric/v2.0/runs/{child}/batch", {"errors": []})
    upload = f"http://a.blob.c@{wire.url.removeprefix('http://')}/c/f.txt?sig=1"
    wire.answer(
        "POST",
        f"/artifact/v2.0/artifacts/batch/metadata/ExperimentRun/dcid.{child}",
        {"artifactContentInformation": {"f.txt": {"contentUri": upload}}},
    )
    wire.answer("PUT", "/c/f.txt", {}, status=201)
    done = step(
        "import io\nrun = Run.get_context()\n"
        f"with run.child_run('fold', run_id='{child}') as child:\n"
        "    child.log('acc', 0.5, step=1)\n    child.tag('k', 'v')\n"
        "    child.upload_file('f.txt', io.BytesIO(b'body'))",
        wire=wire,
    )
    assert done.code == 0, done.err
    assert done.facts == []
    created = wire.asked_for("PATCH", runs)[0].json
    assert (created["parentRunId"], created["name"], created["status"]) == (
        RUN,
        "fold",
        "NotStarted",
    )
    events = [call.json["name"] for call in wire.asked_for("POST", f"{runs}/events")]
    assert [name.rpartition(".")[2] for name in events] == ["Start", "Completed"]
    batch = wire.asked_for("POST", f"/metric/v2.0/runs/{child}/batch")[0].json["values"][0]
    assert batch["columns"] == {"acc": "double"}
    assert (batch["value"][0]["step"], batch["value"][0]["data"]) == (1, {"acc": 0.5})
    block, commit = wire.asked_for("PUT", "/c/f.txt")
    assert (block.body, block.query.partition("&")[0]) == (b"body", "sig=1")
    assert commit.query.endswith("comp=blocklist")


def test_many_children_are_made_in_one_call_and_started_in_another(step, wire):
    class Answers(dict):
        """Whatever runs the body names are there."""

        def get(self, key):
            if key == ("PATCH", "/history/v1.0/experiments/exp/batch/runs"):
                rows = wire.asked[-1].json["runs"]
                return 200, {"runs": {row["runId"]: row for row in rows}, "errors": {}}
            return 200, {"errors": []}

    wire.answers = Answers()
    done = step(
        "run = Run.get_submitted_run()\n"
        "print(len(run.create_children(count=2)))\n"
        "print([child.id for child in run.create_children(tag_key='rate', tag_values=[0.5])])",
        wire=wire,
    )
    assert done.code == 0, done.err
    first, start, second, _ = wire.asked
    assert [row["tags"] for row in first.json["runs"]] == [
        {"azureml.batch_child_number": "0"},
        {"azureml.batch_child_number": "1"},
    ]
    assert {row["parentRunId"] for row in first.json["runs"]} == {RUN}
    assert [event["data"]["RunId"] for event in start.json["events"]] == [
        row["runId"] for row in first.json["runs"]
    ]
    (row,) = second.json["runs"]
    assert row["tags"] == {"rate": "0.5"}
    assert done.out.split("\n")[:2] == ["2", str([row["runId"]])]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("create_children()", "Either count or tag_key and tag_values"),
        ("create_children(tag_key='a')", "Either count or tag_key and tag_values"),
        ("create_children(count=1, tag_key='a', tag_values=[1])", "count can not be set"),
        ("create_children(count=101)", "more than 100"),
        ("take_snapshot('nowhere')", "There is nothing to take a snapshot of"),
        ("log_residuals('r', 'no json')", "is no JSON"),
    ],
)
def test_what_a_run_cannot_do_is_said(step, wire, words, why):
    wire.answer("GET", HISTORY, {"runId": RUN, "properties": {}})
    done = step(f"Run.get_context().{words}", wire=wire)
    assert done.code == 1
    assert why in done.err


def test_a_run_has_one_snapshot(step, wire):
    wire.answer("GET", HISTORY, {"runId": RUN, "properties": {"ContentSnapshotId": "s-1"}})
    done = step("run = Run.get_context()\nrun.take_snapshot('.')", wire=wire)
    assert "already has one: s-1" in done.err


def test_a_snapshot_is_of_all_files_below_the_folder(step, wire):
    wire.answer("GET", HISTORY, {"runId": RUN, "properties": {}})
    names = ["a.py", "deep/b.py"]
    nodes = [{"fullName": name, "blobUri": f"{wire.url}/up/{name}?sig=1"} for name in names]
    wire.answer("POST", "/content/v2.0/snapshots/getblob", {"fileNodes": nodes})
    for name in names:
        wire.answer("PUT", f"/up/{name}", {}, status=201)
    taken = "44444444-4444-4444-8444-444444444444"
    wire.answer("POST", f"/content/v2.0/snapshots/{taken}", {"id": taken})
    done = step(
        "import os, uuid\nuuid.uuid4 = lambda: uuid.UUID('" + taken + "')\n"
        "os.makedirs('code/deep/__pycache__')\n"
        "for name in ('a.py', 'deep/b.py', 'deep/__pycache__/b.pyc'):\n"
        "    open('code/' + name, 'w').close()\n"
        "print(Run.get_context().take_snapshot('code'))",
        wire=wire,
    )
    assert done.code == 0, done.err
    assert done.out.strip() == taken
    (asked,) = wire.asked_for("POST", "/content/v2.0/snapshots/getblob")
    assert asked.json["FileNames"] == names
    (made,) = wire.asked_for("POST", f"/content/v2.0/snapshots/{taken}")
    tree = made.json["DirTreeNode"]
    assert tree["children"]["deep"]["children"]["b.py"]["type"] == "File"
    assert [row["FullName"] for row in made.json["FileRevisionList"]["FileNodes"]] == names
    assert [(fact["kind"], fact["key"], fact["value"]) for fact in done.facts] == [
        ("property", "ContentSnapshotId", taken)
    ]


def test_model_is_registered_from_uploaded_files(step, wire):
    listing = f"/artifact/v2.0/artifacts/prefix/contentinfo/ExperimentRun/dcid.{RUN}/outputs/m.pkl"
    wire.answer("GET", listing, {"value": [{"path": "outputs/m.pkl", "contentUri": "http://x/"}]})
    wire.answer("POST", "/modelmanagement/v1.0/assets", {"id": "asset-1"})
    model = {"id": "m:1", "name": "m", "version": 1, "url": "aml://asset/asset-1"}
    wire.answer("POST", "/modelmanagement/v1.0/models", model)
    done = step(
        "model = Run.get_context().register_model('m', 'outputs/m.pkl', tags={'a': 'b'})\n"
        "print(model.id, model.version)\n"
        "from azureml.exceptions import ModelPathNotFoundException\n"
        "try:\n    Run.get_context().register_model('m', 'outputs/other')\n"
        "except ModelPathNotFoundException as error:\n    print('upload it first' in str(error))",
        wire=wire,
    )
    assert done.out.splitlines() == ["m:1 1", "True"], done.err
    asset = wire.asked_for("POST", "/modelmanagement/v1.0/assets")[0].json
    assert asset["artifacts"] == [{"prefix": f"ExperimentRun/dcid.{RUN}/outputs/m.pkl"}]
    sent = wire.asked_for("POST", "/modelmanagement/v1.0/models")[0].json
    assert (sent["url"], sent["kvTags"], sent["runId"]) == ("aml://asset/asset-1", {"a": "b"}, RUN)


def test_files_of_the_run_can_be_listed_and_fetched(step, wire):
    container = f"/artifact/v2.0/artifacts/ExperimentRun/dcid.{RUN}"
    wire.answer("GET", container, {"value": [{"path": "outputs/f.txt"}], "continuationToken": None})
    info = f"/artifact/v2.0/artifacts/contentinfo/ExperimentRun/dcid.{RUN}/outputs/f.txt"
    wire.answer("GET", info, {"contentUri": f"{wire.url}/blob/f.txt"})
    wire.answer("GET", "/blob/f.txt", b"content")
    done = step(
        "run = Run.get_context()\nprint(run.get_file_names())\nrun.download_file('outputs/f.txt', 'got.txt')",
        wire=wire,
    )
    assert done.out == "['outputs/f.txt']", done.err
    assert (step.folder / "got.txt").read_text() == "content"


def test_another_workspace_is_refused(step):
    done = step("from azureml.core import Workspace\nWorkspace('sub', 'group', 'other')")
    assert "reaches only the workspace of its run" in done.err


# Datasets that a script makes

MADE = """
from azureml.core import Dataset, Datastore
from azureml.data import DataType
from azureml.data.datapath import DataPath
from azureml.data.dataset_factory import TabularDatasetFactory
ws = Run.get_context().experiment.workspace
store = Datastore.get(ws, "lake")
"""


@pytest.fixture
def lake(wire):
    wire.answer("GET", "/datastore/v1.0/datastores/lake", {"name": "lake"})
    latest = {"savedDatasetId": "saved", "versionId": "2"}
    document = {"name": "made", "datasetType": "tabular", "latest": latest}
    wire.answer("POST", "/dataset/v1.0/datasets", document)
    wire.answer(
        "GET",
        "/data/v1.0/dataversion/unregistered-saved/versions/1",
        {"legacyDataflow": '{"paths": [{"file": "https://h/a.csv"}]}'},
    )
    return wire


@pytest.mark.parametrize(
    ("made", "kind", "paths", "reading"),
    [
        (
            "Dataset.Tabular.from_delimited_files((store, 'a b/*.csv'), separator=';', header=False)",
            "tabular",
            [("lake", "a b/*.csv")],
            "delimited",
        ),
        (
            "TabularDatasetFactory.from_parquet_files([DataPath(store, 'x'), (store, 'y')])",
            "tabular",
            [("lake", "x"), ("lake", "y")],
            "parquet",
        ),
        (
            "Dataset.Tabular.from_json_lines_files((store, 'l'))",
            "tabular",
            [("lake", "l")],
            "json_lines",
        ),
        ("Dataset.File.from_files(path=(store, 'f'))", "file", [("lake", "f")], None),
    ],
)
def test_a_made_dataset_is_registered_as_the_studio_reads_it(
    step, lake, made, kind, paths, reading
):
    code = (
        f"{MADE}\nfound = {made}.register(ws, 'made', tags={{'a': 'b'}}, create_new_version=True)\n"
    )
    done = step(code + "print(found.name, found.version)", wire=lake)
    assert done.out == "made 2", done.err
    (asked,) = lake.asked_for("POST", "/dataset/v1.0/datasets")
    assert "updateDefinitionIfExists=true" in asked.query
    assert (asked.json["name"], asked.json["datasetType"]) == ("made", kind)
    assert asked.json["tags"] == {"a": "b"}
    flow = data.read_dataflow(asked.json["latest"]["dataflow"])
    assert [data.datastore_path(uri) for _, uri in flow.paths] == paths
    assert flow.format == reading
    if reading == "delimited":
        assert (flow.options["delimiter"], flow.options["header"]) == (";", "no_header")


def test_types_of_columns_are_part_of_what_is_registered(step, lake):
    code = f"""{MADE}
types = {{"a": DataType.to_string(), "b": DataType.to_long(), "c": DataType.to_datetime("%Y")}}
Dataset.Tabular.from_delimited_files((store, "a.csv"), set_column_types=types).register(ws, "made")
"""
    done = step(code, wire=lake)
    assert done.code == 0, done.err
    (asked,) = lake.asked_for("POST", "/dataset/v1.0/datasets")
    flow = data.read_dataflow(asked.json["latest"]["dataflow"])
    date = {"datetime": {"formats": ["%Y"]}}
    assert flow.columns["types"] == {"a": "string", "b": "int", "c": date}


def test_a_made_dataset_is_read_from_its_address(step, wire, pandas_python):
    wire.answer("GET", "/files/rows.csv", b"a,b\n1,x\n2,y\n")
    code = f"""
from azureml.data.dataset_factory import TabularDatasetFactory
frame = TabularDatasetFactory.from_delimited_files("{wire.url}/files/rows.csv").to_pandas_dataframe()
print(frame.a.sum(), list(frame.b))
"""
    done = step(code, wire=wire, python=pandas_python)
    assert done.out == "3 ['x', 'y']", done.err


@pytest.mark.parametrize(
    ("path", "said"),
    [("'local.csv'", "Local files are uploaded first"), ("[]", "at least one path")],
)
def test_what_is_no_place_of_a_dataset_is_refused(step, path, said):
    done = step(f"from azureml.core import Dataset\nDataset.File.from_files({path})")
    assert said in done.err.replace("\n", " ")
