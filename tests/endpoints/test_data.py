import http.server
import io
import json
import subprocess
import threading
from uuid import uuid4

import fsspec
import pytest
from django.core.exceptions import ValidationError

from endpoints import data, services
from endpoints.data import DataflowError, PathError, WebFile
from endpoints.models import DatasetVersion, Datastore
from studio.core.errors import BadValue, NotFound, Refused
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["file", "memory"])
def store(request, workspace, tmp_path, settings):
    settings.STUDIO_STORAGE_URL = (
        f"file://{tmp_path / 'storage'}" if request.param == "file" else f"memory://{uuid4()}"
    )
    return workspace.datastores.get(name="workspaceblobstore")


@pytest.fixture
def filled(store, tmp_path):
    """in/a.csv, in/b.csv and in/deep/c.txt on the datastore."""
    source = tmp_path / "filling"
    (source / "deep").mkdir(parents=True)
    (source / "a.csv").write_text("x\n1\n")
    (source / "b.csv").write_text("x\n2\n")
    (source / "deep" / "c.txt").write_text("c")
    stored = data.upload_tree(source, data.resolve(store, "in"))
    assert sorted(entry.path for entry in stored.files) == ["in/a.csv", "in/b.csv", "in/deep/c.txt"]
    return store


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "a/../b",
        "../a",
        "/../a",
        "C:/x",
        "a\\b",
        "a\0b",
        "file:///etc",
        "x" * 1001,
        None,
        3,
    ],
)
def test_a_path_never_leaves_its_datastore(store, path):
    with pytest.raises(PathError):
        data.resolve(store, path)


def test_a_slash_in_front_is_the_top_of_the_datastore(store):
    assert data.resolve(store, "//etc/passwd").path == "etc/passwd"
    assert data.resolve(store, "/").path == ""


def test_symbolic_links_are_refused(workspace, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "folder").symlink_to(tmp_path)
    (root / "plain.txt").write_text("plain")
    (tmp_path / "alias").symlink_to(root)
    store = Datastore.objects.create(
        workspace=workspace, name="s", url=f"file://{tmp_path / 'alias'}"
    )
    for path in ("link.txt", "folder/secret.txt", "folder"):
        with pytest.raises(PathError, match="symbolic link"):
            data.resolve(store, path)
    assert [entry.path for entry in data.resolve(store, "").files()] == ["plain.txt"]
    assert [entry.path for entry in data.resolve(store, "").listing()] == ["plain.txt"]


def test_listing_and_reading(filled):
    place = data.resolve(filled, "./in//")
    assert place.path == "in"
    assert [(entry.path, entry.size) for entry in place.listing()] == [
        ("in/deep/", 0), ("in/a.csv", 4), ("in/b.csv", 4),
    ]  # fmt: skip
    assert [entry.path for entry in place.files()] == ["in/a.csv", "in/b.csv", "in/deep/c.txt"]
    with data.resolve(filled, "in/a.csv").open() as file:
        assert file.read() == b"x\n1\n"
    with pytest.raises(NotFound, match="no file"):
        data.resolve(filled, "in/none.csv").open()
    with pytest.raises(NotFound, match="no folder"):
        data.resolve(filled, "in/a.csv").listing()


@pytest.mark.parametrize("mode", ["mount", "download"])
def test_a_folder_becomes_the_target(filled, tmp_path, mode):
    path = data.materialise([data.resolve(filled, "in")], tmp_path / "input", mode=mode)
    assert path == tmp_path / "input"
    assert (path / "a.csv").read_text() == "x\n1\n" and (path / "deep/c.txt").read_text() == "c"
    linked = mode == "mount" and data.resolve(filled, "in").local is not None
    assert path.is_symlink() == linked


@pytest.mark.parametrize("mode", ["mount", "download"])
def test_one_file_becomes_its_path(filled, tmp_path, mode):
    path = data.materialise([data.resolve(filled, "in/a.csv")], tmp_path / "input", mode=mode)
    assert path == tmp_path / "input" / "a.csv"
    assert path.read_text() == "x\n1\n"


def test_patterns_and_several_files_become_a_folder(filled, tmp_path):
    path = data.materialise([data.resolve(filled, "in/*.csv")], tmp_path / "one")
    assert sorted(file.name for file in path.iterdir()) == ["a.csv", "b.csv"]
    path = data.materialise([data.resolve(filled, "in/**")], tmp_path / "all")
    assert sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()) == [
        "a.csv", "b.csv", "deep/c.txt",
    ]  # fmt: skip
    two = [data.resolve(filled, "in/a.csv"), data.resolve(filled, "in/a.csv")]
    assert len(list(data.materialise(two, tmp_path / "two").rglob("*.csv"))) == 2


def test_a_file_being_written_is_not_seen(workspace, tmp_path):
    store = Datastore.objects.create(workspace=workspace, name="s", url=f"file://{tmp_path}")
    (tmp_path / f".{uuid4().hex}.partial").write_text("half")
    (tmp_path / "download.partial").write_text("somebody's own name")
    place = data.resolve(store, "")
    assert [entry.path for entry in place.files()] == ["download.partial"]
    assert [entry.path for entry in place.listing()] == ["download.partial"]


def test_nothing_there_is_said(filled, tmp_path):
    for path in ("none", "none/*.csv"):
        with pytest.raises(NotFound, match="nothing at workspaceblobstore/none"):
            data.materialise([data.resolve(filled, path)], tmp_path / "input")


class Unreachable(fsspec.AbstractFileSystem):
    protocol = "unreachable"

    def info(self, path, **kwargs):
        raise ConnectionError("no route to host")


def test_a_store_that_does_not_answer_is_not_taken_for_empty(workspace, tmp_path):
    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    far = Datastore.objects.create(workspace=workspace, name="far", url="unreachable://bucket")
    place = data.resolve(far, "in")
    for ask in (place.exists, place.is_folder, place.is_there, place.listing):
        with pytest.raises(ConnectionError):
            ask()
    away = Datastore.objects.create(
        workspace=workspace, name="away", url=f"file://{tmp_path}/not-mounted"
    )
    with pytest.raises(Refused, match="Datastore away cannot be reached: there is no folder"):
        data.resolve(away, "in").exists()
    with pytest.raises(Refused, match="cannot be reached"):
        data.resolve(away, "in/a.txt").write(io.BytesIO(b"1"))
    assert not (tmp_path / "not-mounted").exists()


def test_a_changed_input_is_named(filled, tmp_path):
    path = data.materialise([data.resolve(filled, "in")], tmp_path / "input", mode="mount")
    before = data.inventory(path)
    assert data.changed(before, path) is None
    (path / "deep" / "c.txt").write_text("changed")
    assert data.changed(before, path) == "deep/c.txt"
    (path / "deep" / "c.txt").unlink()
    assert data.changed(before, path) == "deep/c.txt"


@pytest.mark.parametrize(
    ("only", "stored"),
    [
        ([], ["a.csv", "b.log", "deep/c.csv"]),
        (["*.csv"], ["a.csv"]),
        (["**/*.csv"], ["a.csv", "deep/c.csv"]),
        (["deep/**", "?.log"], ["b.log", "deep/c.csv"]),
        (["../*"], []),
    ],
)
def test_of_an_output_the_files_that_are_asked_for_are_taken_up(store, tmp_path, only, stored):
    output = tmp_path / "output"
    (output / "deep").mkdir(parents=True)
    for name in ("a.csv", "b.log", "deep/c.csv"):
        (output / name).write_text("x")
    found = data.upload_tree(output, data.resolve(store, "out"), only=only)
    assert sorted(entry.path.removeprefix("out/") for entry in found.files) == stored


def test_outputs_that_lead_elsewhere_are_refused(store, tmp_path):
    output = tmp_path / "output"
    output.mkdir()
    (output / "real.txt").write_text("x")
    (output / "latest.txt").symlink_to("real.txt")
    assert len(data.upload_tree(output, data.resolve(store, "out")).files) == 2
    (tmp_path / "secret").write_text("x")
    (output / "stolen.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(PathError, match=r"stolen\.txt is a link"):
        data.upload_tree(output, data.resolve(store, "out"))
    assert len(data.upload_tree(output, data.resolve(store, "out"), only=["real*"]).files) == 1


def test_a_link_to_a_folder_of_the_output_stands_for_its_files(store, tmp_path):
    """As trainers leave one to the last of their checkpoints."""
    output = tmp_path / "output"
    (output / "checkpoint-2/deep").mkdir(parents=True)
    (output / "checkpoint-2/deep/model").write_text("x")
    (output / "checkpoint-2/best").symlink_to("deep/model")
    (output / "latest").symlink_to("checkpoint-2")
    found = data.upload_tree(output, data.resolve(store, "out"))
    files = ("best", "deep/model")
    assert sorted(entry.path for entry in found.files) == [
        f"out/{top}/{x}" for top in ("checkpoint-2", "latest") for x in files
    ]
    with data.resolve(store, "out/latest/best").open() as stream:
        assert stream.read() == b"x"


def test_a_copied_link_to_a_mounted_input_is_the_files_that_it_leads_to(filled, tmp_path):
    whole = data.materialise([data.resolve(filled, "in")], tmp_path / "whole")
    some = data.materialise([data.resolve(filled, "in/*.csv")], tmp_path / "some")
    output = tmp_path / "output"
    output.mkdir()
    for mounted in (whole, some):
        subprocess.run(["cp", "-r", mounted, output], check=True)
    found = data.upload_tree(output, data.resolve(filled, "out"), mounted=[whole, some])
    assert sorted(entry.path.removeprefix("out/") for entry in found.files) == [
        *("some/a.csv", "some/b.csv"),
        *("whole/a.csv", "whole/b.csv", "whole/deep/c.txt"),
    ]
    with data.resolve(filled, "out/whole/deep/c.txt").open() as kept:
        assert kept.read() == b"c"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        if self.path != "/some%20data.csv?v=1":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x\n9\n")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_web_files_are_downloaded_within_limits(web, tmp_path, settings):
    settings.STUDIO_WEB_ALLOWED_HOSTS = ["127.0.0.1"]
    place = WebFile(f"{web}/some%20data.csv?v=1")
    path = data.materialise([place], tmp_path / "input")
    assert path == tmp_path / "input" / "some data.csv"
    assert path.read_text() == "x\n9\n"
    for address in ("/gone", "/moved"):
        with pytest.raises(BadValue, match="could not be read"):
            data.materialise([WebFile(web + address)], tmp_path / "other")
    settings.STUDIO_DOWNLOAD_MAX_BYTES = 3
    with pytest.raises(BadValue, match="larger than the limit"):
        data.materialise([place], tmp_path / "again")


SDK_YAML = """\
paths:
- pattern: azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/in/a%20b.csv
transformations:
- read_delimited:
    delimiter: ;
    header: all_files_same_headers
- convert_column_types:
  - columns: x
    column_type: int
"""


def test_a_dataflow_of_the_sdk_is_read():
    flow = data.read_dataflow(json.dumps({"blocks": [], "meta": {"RsDataflow": SDK_YAML}}))
    assert flow.format == "delimited" and flow.options["delimiter"] == ";"
    assert data.datastore_path(flow.paths[0][1]) == ("workspaceblobstore", "in/a b.csv")
    assert data.read_dataflow(SDK_YAML) == flow
    assert data.datastore_path("AmlDatastore://store/x/y") == ("store", "x/y")
    assert data.datastore_path("azureml://datastores/store/paths/x") == ("store", "x")
    assert data.datastore_path("https://example.com/x") is None


def test_what_a_dataflow_says_of_its_columns():
    steps = """\
- keep_columns: [x, y]
- drop_columns: y
- convert_column_types:
  - columns: [x, y]
    column_type: {datetime: {formats: ["%Y"]}}
  - columns: x
    column_type: string
"""
    flow = data.read_dataflow(SDK_YAML + steps)
    kind = {"datetime": {"formats": ["%Y"]}}
    assert flow.columns == {
        "types": {"x": "string", "y": kind},
        "choices": [["keep_columns", ["x", "y"]], ["drop_columns", ["y"]]],
    }
    for odd in ("3", "[3]", "[{columns: x}]", "null"):
        step = f"paths: [{{file: a}}]\ntransformations: [{{convert_column_types: {odd}}}]"
        assert data.read_dataflow(step).columns["types"] in ({}, {"x": None})


def block(kind, **arguments):
    return {"type": f"Microsoft.DPrep.{kind}", "arguments": arguments}


def chosen(kind, *names):
    return block(kind, columns={"type": 0, "details": {"selectedColumns": list(names)}})


def blocks(*given):
    return json.dumps({"blocks": given})


READ = block("ParseDelimitedBlock", separator=";", columnHeadersMode=0)


def test_how_an_output_is_to_be_read():
    text = blocks(
        READ,
        *(chosen("DropColumnsBlock", "Path"), chosen("DropColumnsBlock", "a")),
        chosen("KeepColumnsBlock", "b", "c"),
    )
    kind, flow = data.write_output_dataflow("azureml://datastores/store/paths/x", text)
    assert kind == "tabular"
    read = data.read_dataflow(flow)
    assert (read.options["delimiter"], read.options["header"]) == (";", "no_header")
    assert read.columns["choices"] == [["drop_columns", ["a"]], ["keep_columns", ["b", "c"]]]
    assert data.write_output_dataflow("azureml://datastores/store/paths/x", "")[0] == "file"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (blocks(READ, block("TakeSampleBlock", probability=0.5)), "'TakeSampleBlock' of an output"),
        (blocks(READ, block("DropColumnsBlock")), "not named"),
        (blocks(READ, chosen("KeepColumnsBlock", 3)), "not named"),
        *[(text, "cannot be read") for text in ("x", "[]", "{}", '{"blocks": 3}', blocks(3))],
    ],
)
def test_what_an_output_cannot_be_is_refused_with_the_graph(actor, workspace, text, reason):
    with pytest.raises(DataflowError, match=reason):
        data.read_transformations(text)
    wire = factories.graph(workspace).wire
    registration = {"Name": "d", "AdditionalTransformations": text}
    wire["ModuleNodes"][0]["ModuleOutputSettings"] = [
        {"Name": "out", "DatasetRegistration": registration}
    ]
    with pytest.raises(ValidationError, match=reason) as refusal:
        services.create_graph(actor, wire=wire, interface={"Parameters": []})
    assert list(refusal.value.message_dict) == ["one.out.transformations"]


def test_what_we_write_we_read(workspace):
    uri = data.datastore_uri(workspace, "workspaceblobstore", "in/a b.csv")
    flow = data.read_dataflow(data.write_dataflow([uri], tabular=True, delimiter="\t"))
    assert flow.options["delimiter"] == "\t" and flow.format == "delimited"
    assert data.datastore_path(flow.paths[0][1]) == ("workspaceblobstore", "in/a b.csv")
    assert data.read_dataflow(data.write_dataflow([uri], tabular=False)).format is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "paths: 3", "paths: [1]", "a: [", '{"meta": {}}'])
def test_other_texts_are_refused(text):
    with pytest.raises(DataflowError):
        data.read_dataflow(text)


def register(actor, path, **more):
    uri = data.datastore_uri(actor.workspace, "workspaceblobstore", path)
    options = {
        "name": "d",
        "dataset_type": "file",
        "dataflow": data.write_dataflow([uri], tabular=False),
    }
    return services.register_dataset(actor, **options | more)


def test_references_find_saved_datasets(actor, filled):
    first = register(actor, "in/a.csv")
    second = register(actor, "in/b.csv", create_new_version=True)
    find = lambda reference: data.find_saved(actor.workspace, reference)  # noqa: E731
    assert find({"SavedDataSetReference": {"Id": str(first.saved.uuid)}}) == first.saved
    assert find({"DataSetReference": {"Name": "d"}}) == second.saved
    assert find({"DataSetReference": {"Name": "d", "Version": "1"}}) == first.saved
    assert find({"DataSetReference": {"Id": str(first.dataset.uuid)}}) == second.saved
    assert [str(place) for place in data.places_of(first.saved)] == ["workspaceblobstore/in/a.csv"]


@pytest.mark.parametrize(
    "reference",
    [
        {"SavedDataSetReference": {"Id": "no uuid"}},
        {"SavedDataSetReference": {"Id": str(uuid4())}},
        {"DataSetReference": {"Name": "none"}},
        {"DataSetReference": {"Name": "d", "Version": "9"}},
        {"DataSetReference": {"Name": "d", "Version": "x"}},
    ],
)
def test_references_to_nothing_are_refused(actor, filled, reference):
    register(actor, "in/a.csv")
    with pytest.raises(BadValue) as refused:
        data.find_saved(actor.workspace, reference)
    assert refused.value.status == 400


def test_another_workspaces_data_is_not_there(actor, filled):
    saved = register(actor, "in/a.csv").saved
    other = factories.workspace()
    with pytest.raises(Refused, match="not found in workspace"):
        data.find_saved(other, {"SavedDataSetReference": {"Id": str(saved.uuid)}})
    with pytest.raises(BadValue, match="Datastore none not found in workspace"):
        data.locate(other, "none", "x")


def test_registering_again_needs_to_be_asked_for(actor, filled):
    register(actor, "in/a.csv")
    with pytest.raises(Refused, match="exists already"):
        register(actor, "in/b.csv")
    assert DatasetVersion.objects.count() == 1
    with pytest.raises(ValidationError):
        register(actor, "in/b.csv", dataset_type="picture", create_new_version=True)


def ends_with(ending, function="String_EndsWith"):
    """The filter that clients put before the reading of an output: by the names of its files."""
    name = ["RecordField", [{"r": ["Identifier", "row"]}, {"r": ["Value", "Path"]}]]
    resource = ["Invoke", [{"r": ["Identifier", "GetResourceName"]}, [{"r": name}]]]
    called = [{"r": ["Identifier", function]}, [{"r": resource}, {"r": ["Value", ending]}]]
    block = {"type": "Microsoft.DPrep.ExpressionFilterBlock"}
    return {**block, "arguments": {"expression": {"r": ["Invoke", called]}}}


def test_files_of_an_output_are_chosen_by_their_ending():
    parquet = {"type": "Microsoft.DPrep.ReadParquetFileBlock", "arguments": {}}
    text = json.dumps({"blocks": [ends_with(".parquet"), parquet]})
    kind, flow = data.write_output_dataflow("azureml://datastores/store/paths/x", text)
    read = data.read_dataflow(flow)
    assert (kind, read.format) == ("tabular", "parquet")
    assert read.paths[0][1] == "azureml://datastores/store/paths/x/**/*.parquet"


@pytest.mark.parametrize("block", [ends_with("*/"), ends_with(".a", "String_StartsWith"), {}])
def test_other_filters_of_an_output_are_refused(block):
    text = json.dumps({"blocks": [{"type": "Microsoft.DPrep.ExpressionFilterBlock", **block}]})
    with pytest.raises(data.DataflowError):
        data.read_transformations(text)
