"""Guards over the tree: settings are documented, routes of the frame exist, templates stay readable."""

import ast
import re
from pathlib import Path

import pytest
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[2]


def test_every_own_setting_has_a_row_in_the_readme():
    settings = (ROOT / "studio" / "settings.py").read_text()
    readme = (ROOT / "README.md").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"(STUDIO_\w+)"', settings))
    rows = set(re.findall(r"^\| `(STUDIO_\w+)`", readme, re.M))
    assert names - {"STUDIO_TEST_DATABASE"} == rows


@pytest.mark.parametrize("name", ["base.html", "_pipelines_tabs.html"])
def test_every_route_of_the_frame_exists(name):
    """The navigation leaves out what has no route, so a renamed one would go unseen."""
    text = (ROOT / "templates" / name).read_text()
    routes = re.findall(r'{% nav_item "[^"]*" "([^"]+)"', text)
    routes += re.findall(r'{% url "([^"]+)"', text)
    assert len(routes) >= 3
    assert text.count("{% nav_item") + text.count("{% url") == len(routes)
    for route in routes:
        assert reverse(route)


def test_no_template_line_is_longer_than_160_characters():
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    too_long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in templates
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > 160
    ]
    assert len(templates) > 100
    assert too_long == []


STATUS_SQL = re.compile(r"UPDATE\s+\"?runs_run\b", re.I)
MAY_IMPORT_RUNS = ("runs", "studio/api", "studio/pages", "studio/management", "endpoints/views")
STATUS_WRITERS = {
    "runs/querysets.py:_update",
    "runs/schedules/edit.py:update_schedule",  # schedules have a status of their own
}


def test_one_function_writes_the_status_of_a_run_that_is_there():
    """Whatever else changed it would pass by the table of states and leave no history."""
    files = [path for folder in MAY_IMPORT_RUNS for path in (ROOT / folder).rglob("*.py")]
    writers = {
        f"{path.relative_to(ROOT)}:{function}"
        for path in files
        if not {"sdk", "migrations"} & set(path.parts)
        for function in _functions_that(writes_status, ast.parse(path.read_text()))
    }
    assert writers == STATUS_WRITERS


def _functions_that(does, tree: ast.AST, inside: str = "") -> set[str]:
    """The names of the functions in which a node `does` something; "" for the module itself."""
    found = set()
    for node in ast.iter_child_nodes(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        found |= _functions_that(does, node, node.name if is_function else inside)
        if does(node):
            found.add(inside)
    return found


def writes_status(node):
    match node:
        case ast.Constant(value=str(text)):
            return bool(STATUS_SQL.search(text))
        case ast.Attribute(attr="status", ctx=ast.Store(), value=owner):
            return ast.unparse(owner) != "self"
        case ast.Call(func=ast.Attribute(attr="update" | "bulk_update" | "save")):
            of_row = [word.value for word in node.keywords if word.arg in (None, "update_fields")]
            names = [ast.unparse(each) for each in ast.walk(ast.Tuple([*node.args, *of_row]))]
            return "'status'" in names or any(word.arg == "status" for word in node.keywords)
    return False


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.filter(pk=1).update(status='Failed')",
        "run.status = Status.FAILED",
        "run.save(update_fields=['status'])",
        "Run.objects.bulk_update(runs, ['error', 'status'])",
        "cursor.execute('UPDATE runs_run SET status = %s')",
        "Run.objects.update(**{'status': 'Failed'})",
    ],
)
def test_writing_a_status_in_another_way_is_found(code):
    assert any(writes_status(node) for node in ast.walk(ast.parse(code)))


# Where requests are read and answered: rules live below, with their transactions and their rows. Django's
# admin and the session have ways of their own.
DOORS = [
    *("endpoints/views", "endpoints/api", "endpoints/forms", "endpoints/wire"),
    *("runs/views", "runs/api", "runs/forms", "runs/parts", "runs/wire"),
    *("studio/api", "studio/pages", "studio/core/rest", "studio/core/ui"),
    *("studio/core/views.py", "studio/core/forms.py", "studio/core/middleware.py"),
    *("endpoints/filters.py", "runs/filters.py", "endpoints/admin.py", "runs/admin.py"),
    "studio/management/commands",
]
TRANSACTIONS = {"atomic", "write_transaction", "select_for_update", "on_commit"}
WRITES = {
    *("bulk_create", "bulk_update", "get_or_create", "update_or_create", "save", "delete"),
    "execute",
}


def _writes(path: Path) -> list[str]:
    """The calls and names in a file that write rows or hold them."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        is_write = name in TRANSACTIONS
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            # A dictionary is updated with another one, rows with values of their columns.
            is_write = name in WRITES or (name in ("create", "update") and bool(node.keywords))
        if is_write:
            found.append(f"{path}:{node.lineno} {name}")
    return found


def test_doors_neither_open_a_transaction_nor_write_a_row():
    files = [file for door in DOORS for file in _files(ROOT / door)]
    assert len(files) > 100
    assert [line for file in files for line in _writes(file)] == []


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


@pytest.mark.parametrize(
    "line",
    [
        "Run.objects.filter(pk=1).update(name='')",
        "Run.objects.create(name='')",
        "row.save()",
        "with transaction.atomic(): pass",
        "@transaction.atomic\ndef view(): pass",
    ],
)
def test_what_a_door_may_not_do_is_found(line, tmp_path):
    file = tmp_path / "view.py"
    file.write_text(line)
    assert _writes(file)


# A report that cannot be applied is left out; a file is written while no model is made of it, and removed
# while nobody stores it again.
NEED_ATOMIC = {
    "runs/engine/step_reports.py",
    "runs/tracking/model_files.py",
    "runs/tracking/replaced_artifacts.py",
}


def test_what_steps_write_all_the_time_waits_its_turn():
    """See `write_transaction`: on SQLite, `atomic` sleeps for long when others write, too."""
    folders = ("runs/engine", "runs/tracking", "runs/worker")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)) for path in files if "transaction.atomic" in path.read_text()
    }
    assert len(files) > 30
    assert found == NEED_ATOMIC


# Words of the wire outside the modules that read and write it, and why they are there.
ANYWHERE = {"PythonScriptStep", "UserError"}  # the SDK's class, and a code of errors that is stored
STAY = {
    # The types of data and datastores, which are stored as clients name them, and a setting of steps.
    "endpoints/graph/elements.py": {
        *("AnyFile", "AnyDirectory", "AzureMLDataset", "DataPath", "maxRunDurationSeconds"),
    },
    "endpoints/models/data.py": {"AzureBlob"},
    # Values of parameters, a property of steps and a type of metrics, likewise.
    "endpoints/parameters/references.py": {
        *("DataStoreName", "RelativePath", "SavedDataSetReference", "DataSetReference"),
    },
    "runs/engine/plan.py": {"StepType"},
    "runs/engine/step_reports.py": {"uxMetricType"},
    "runs/services/registered.py": {"ExperimentRun"},
    # What a caller has not given, and where a posted graph is wrong: for callers.
    "endpoints/parameters/declarations.py": {
        *("ParameterAssignments", "DataPathAssignments", "DataSetDefinitionValueAssignments"),
    },
    "runs/naming.py": {"ExperimentName"},
    "endpoints/graph/graph.py": {
        *("ModuleNodes", "ModuleId", "ModuleParameters"),
        *("SourceOutputPort", "DestinationInputPort"),
    },
    # Files of the SDK, and snippets for it.
    "endpoints/authoring/yaml_format/environments.py": {
        *("nodeCount", "environmentVariables", "maxRunDurationSeconds"),
    },
    "endpoints/views/consume.py": {"PipelineEndpoint", "PublishedPipeline"},
    # Names of tables.
    "runs/views/submit.py": {"PipelineEndpoint", "PublishedPipeline"},
}
CAMEL_CASE = re.compile(r"\b(?:[A-Z][a-z0-9]+|[a-z]+(?=[A-Z]))(?:[A-Z][a-z0-9]*)+\b")


def _texts(path: Path) -> list[str]:
    """The texts in a file, without docstrings and names of its exports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    left_out = set()
    for node in nodes:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            left_out |= set(map(id, ast.walk(node)))
        elif isinstance(node, ast.Expr):
            left_out.add(id(node.value))
    texts = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in left_out)
    return [node.value for node in texts if isinstance(node.value, str)]


def test_only_the_modules_that_read_and_write_the_wire_speak_its_words():
    files = {
        path: str(path.relative_to(ROOT))
        for app in ("endpoints", "runs")
        for path in (ROOT / app).rglob("*.py")
        if not {"sdk", "migrations", "samples"} & set(path.parts)
    }
    doors = [
        path
        for path, name in files.items()
        if {"wire", "api"} & set(path.parts)
        or name.startswith(("endpoints/graph/reading/", "endpoints/graph/writing.py"))
    ]
    words = {text for path in doors for text in _texts(path) if CAMEL_CASE.fullmatch(text)}
    assert len(words) > 250
    found = {
        name: {word for text in _texts(path) for word in CAMEL_CASE.findall(text)}
        & words - ANYWHERE
        for path, name in files.items()
        if path not in doors
    }
    assert {name: spoken for name, spoken in found.items() if spoken} == STAY
