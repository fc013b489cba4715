import io
import zipfile
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from endpoints import services
from endpoints.models import (
    EndpointVersion,
    EntityStatus,
    Graph,
    Module,
    PipelineEndpoint,
    PublishedPipeline,
    Snapshot,
)
from studio.core.errors import Conflict, Disabled, Forbidden, Refused
from studio.core.models import AuditEvent, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"


@pytest.fixture
def pipeline(workspace):
    return factories.pipeline(workspace, "trained")


@pytest.fixture
def endpoint(actor, pipeline):
    return services.create_endpoint(actor, name="ep", pipeline=pipeline)


def posted(workspace, **parts):
    row = factories.graph(workspace, **parts)
    return {"graph": row.wire, "interface": row.interface}


def verbs():
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def version_numbers(endpoint):
    return list(endpoint.versions.order_by("number").values_list("number", flat=True))


# --- publish ---------------------------------------------------------------------------------------


def test_publish_keeps_the_graph_unchanged_and_derives_defaults(actor):
    parts = posted(
        actor.workspace,
        steps=("one", "two"),
        parameters=[{"Name": "n", "DefaultValue": "3", "Type": "0", "Extra": {"kept": 1}}],
        DataPathParameters=[
            {"Name": "dp", "DefaultValue": {"DataStoreName": "s", "RelativePath": "a"}}
        ],
    )
    saved = {"ds": {"SavedDataSetReference": {"Id": "8739"}}}
    pipeline = services.publish(
        actor,
        name=" train ",
        version="1.0",
        dataset_defaults=saved,
        properties={"git": "x"},
        **parts,
    )
    assert pipeline.graph.wire == parts["graph"] and pipeline.graph.interface == parts["interface"]
    assert pipeline.parameter_defaults == {"n": "3", "dp": "s/a"}
    assert pipeline.graph.dataset_defaults == saved
    assert (pipeline.name, pipeline.step_count, pipeline.status) == ("train", 2, "Active")
    assert pipeline.created_by == actor.name and verbs() == ["publish"]


def test_a_secrets_default_is_not_repeated(actor):
    rows = [{"Name": "key", "DefaultValue": "hush", "Type": "3", "Secret": True}]
    pipeline = services.publish(actor, name="a", **posted(actor.workspace, parameters=rows))
    assert pipeline.parameter_defaults == {"key": ""}


def test_publish_a_runs_graph_again(actor, pipeline):
    uuid = uuid4()
    again = services.publish(actor, name="again", graph=pipeline.graph, source_run_uuid=uuid)
    assert again.graph == pipeline.graph and again.source_run_uuid == uuid


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"version": "x" * 101}, "version"),
        ({"graph": {"ModuleNodes": []}}, "Graph.ModuleNodes"),
        ({"graph": {"ModuleNodes": [{"Id": "a", "ModuleId": str(uuid4())}]}}, "Graph.ModuleNodes[a].ModuleId"),
        ({"graph": {"ModuleNodes": [{"Id": "a", "ModuleId": "odd"}]}}, "Graph.ModuleNodes[a].ModuleId"),
        ({"interface": {"Parameters": [{}]}}, "GraphInterface.Parameters[0].Name"),
        ({"interface": {"DataPathParameters": [{"Name": "p", "DefaultValue": 3}]}}, "interface"),
        ({"interface": {"Parameters": [{"Name": "p", "DefaultValue": "a\0"}]}}, "interface"),
        ({"dataset_defaults": {"ds": 3}}, "interface"),
        ({"properties": [1]}, "properties"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_not_published(actor, change, field):
    parts = posted(actor.workspace)
    before = Graph.objects.count()
    with pytest.raises(ValidationError) as refused:
        services.publish(actor, **{"name": "train", **parts, **change})
    assert list(refused.value.message_dict) == [field]
    assert not PublishedPipeline.objects.exists() and Graph.objects.count() == before
    assert verbs() == []


def test_modules_of_another_workspace_are_unknown(actor):
    with pytest.raises(ValidationError, match="There is no module"):
        services.publish(actor, name="train", **posted(factories.workspace()))


def test_publishing_behind_an_endpoint(actor):
    first = services.publish(actor, name="a", endpoint="ep", **posted(actor.workspace))
    second = services.publish(actor, name="b", endpoint="ep", **posted(actor.workspace))
    third = services.publish(
        actor, name="c", endpoint="ep", set_default=True, **posted(actor.workspace)
    )
    endpoint = PipelineEndpoint.objects.get(name="ep")
    assert [row.pipeline for row in endpoint.versions.order_by("number")] == [first, second, third]
    assert endpoint.default_version.pipeline == third


def test_old_identities_are_for_admins_and_unique(actor):
    uuid, endpoint_uuid = uuid4(), uuid4()
    options = {"name": "a", "uuid": uuid, "endpoint": "ep", "endpoint_uuid": endpoint_uuid}
    publisher = factories.actor(actor.workspace, Role.PUBLISHER)
    with pytest.raises(Forbidden):
        services.publish(publisher, **options, **posted(actor.workspace))
    assert services.publish(actor, **options, **posted(actor.workspace)).uuid == uuid
    assert PipelineEndpoint.objects.get(name="ep").uuid == endpoint_uuid
    with pytest.raises(Conflict, match="taken"):
        services.publish(actor, **options, **posted(actor.workspace))


# --- access ----------------------------------------------------------------------------------------

CALLS = {
    "publish": lambda a, e, p: services.publish(a, name="x", graph=p.graph),
    "create_endpoint": lambda a, e, p: services.create_endpoint(a, name="x", pipeline=p),
    "add_version": lambda a, e, p: services.add_version(a, e, factories.pipeline(e.workspace)),
    "set_default": lambda a, e, p: services.set_default(a, e, e.default_version),
    "configure": lambda a, e, p: services.configure(a, e, is_public=True),
    "update_endpoint": lambda a, e, p: services.update_endpoint(a, e, description="x"),
    "disable": lambda a, e, p: services.disable(a, e),
    "enable": lambda a, e, p: services.enable(a, p),
    "create_module": lambda a, e, p: services.create_module(a, name="x", structured_interface={}),
    "save_dataset": lambda a, e, p: services.save_dataset(a, dataset_type="file", dataflow="paths: [{file: https://data.example/a.csv}]"),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_an_operator_changes_no_definition(actor, endpoint, pipeline, call):
    with pytest.raises(Forbidden):
        CALLS[call](factories.actor(actor.workspace, Role.OPERATOR), endpoint, pipeline)
    CALLS[call](factories.actor(actor.workspace, Role.PUBLISHER), endpoint, pipeline)


@pytest.mark.parametrize(
    "call", [name for name in CALLS if not name.endswith(("module", "dataset"))]
)
def test_another_workspaces_definitions_are_out_of_reach(endpoint, pipeline, call):
    with pytest.raises(Forbidden):
        CALLS[call](factories.actor(factories.workspace()), endpoint, pipeline)


# --- endpoints and versions --------------------------------------------------------------------------


def test_an_endpoint_starts_with_version_0_as_default(endpoint, pipeline):
    assert endpoint.default_version.number == 0 and endpoint.default_version.pipeline == pipeline
    assert verbs() == ["create"]


def test_names_are_unique_in_a_workspace(actor, endpoint, pipeline):
    with pytest.raises(ValidationError, match="exists already"):
        services.create_endpoint(actor, name="ep", pipeline=pipeline)
    elsewhere = factories.actor(factories.workspace())
    services.create_endpoint(elsewhere, name="ep", pipeline=factories.pipeline(elsewhere.workspace))
    other = services.create_endpoint(actor, name="other", pipeline=pipeline)
    with pytest.raises(ValidationError, match="exists already"):
        services.update_endpoint(actor, other, name="ep")
    services.update_endpoint(actor, endpoint, name="renamed")
    assert PipelineEndpoint.objects.get(pk=endpoint.pk).name == "renamed"
    assert verbs()[-1] == "rename"


@pytest.mark.parametrize(
    "name", ["a/b", "/a", "a\n", "a\tb", "a\x7fb", " a", "a ", "  ", "..", "."]
)
def test_a_name_that_no_address_can_carry_is_refused(actor, endpoint, pipeline, name):
    attempts = [
        lambda: services.create_endpoint(actor, name=name, pipeline=pipeline),
        lambda: services.update_endpoint(actor, endpoint, name=name),
    ]
    for attempt in attempts:
        with pytest.raises(ValidationError) as refused:
            attempt()
        assert refused.value.message_dict.keys() == {"name"}
    assert [row.name for row in PipelineEndpoint.objects.all()] == ["ep"]


def test_an_older_unfit_name_does_not_keep_the_rest_from_changing(actor, endpoint):
    PipelineEndpoint.objects.filter(pk=endpoint.pk).update(name="a/b")
    endpoint.refresh_from_db()
    services.update_endpoint(actor, endpoint, name="a/b", description="new")
    assert PipelineEndpoint.objects.get(pk=endpoint.pk).description == "new"


def test_versions_count_up_and_the_default_stays(actor, endpoint, pipeline):
    version = services.add_version(actor, endpoint, factories.pipeline(actor.workspace))
    assert version.number == 1 and endpoint.default_version.number == 0
    latest = services.add_version(
        actor, endpoint, factories.pipeline(actor.workspace), set_default=True
    )
    endpoint.refresh_from_db()
    assert endpoint.default_version == latest and latest.number == 2
    with pytest.raises(ValidationError, match="already a version of the endpoint"):
        services.add_version(actor, endpoint, pipeline)


def test_a_disabled_version_does_not_become_the_default(actor, endpoint):
    version = services.add_version(actor, endpoint, factories.pipeline(actor.workspace))
    services.disable(actor, version.pipeline)
    with pytest.raises(Refused, match="Version 1 of ep is disabled"):
        services.set_default(actor, endpoint, version)
    foreign = factories.endpoint(actor.workspace).default_version
    with pytest.raises(ValidationError, match="another endpoint"):
        services.set_default(actor, endpoint, foreign)


def test_configure_changes_what_is_given_and_is_audited(actor, endpoint):
    services.configure(actor, endpoint, is_public=True)
    assert endpoint.is_public and not endpoint.is_strict
    event = AuditEvent.objects.latest("pk")
    assert (event.before, event.after) == ({"is_public": False}, {"is_public": True})
    services.configure(actor, endpoint, is_public=True)
    assert AuditEvent.objects.latest("pk") == event


# --- the whole entity, as the SDK puts it ------------------------------------------------------------


def test_a_put_adds_a_version_and_makes_it_the_default(actor, endpoint, pipeline):
    second = factories.pipeline(actor.workspace)
    old = str(endpoint.etag)
    services.update_endpoint(
        actor, endpoint, etag=old, versions={0: pipeline, 1: second}, default_version=1,
        name="ep", description="new", status="Active", tags={"a": "b"},
    )  # fmt: skip
    assert endpoint.default_version.pipeline == second
    assert (endpoint.description, endpoint.tags) == ("new", {"a": "b"})
    assert str(endpoint.etag) != old


def test_the_later_of_two_puts_is_told(actor, endpoint, pipeline):
    read = str(endpoint.etag)
    one, two = factories.pipeline(actor.workspace), factories.pipeline(actor.workspace)
    services.update_endpoint(actor, endpoint, etag=read, versions={0: pipeline, 1: one})
    with pytest.raises(Conflict, match="read it again"):
        services.update_endpoint(actor, endpoint, etag=read, versions={0: pipeline, 1: two})
    assert version_numbers(endpoint) == [0, 1]
    assert not EndpointVersion.objects.filter(pipeline=two).exists()


def test_every_change_gives_a_new_etag(actor, endpoint):
    tags = {str(endpoint.etag)}
    services.add_version(actor, endpoint, factories.pipeline(actor.workspace))
    tags.add(str(endpoint.etag))
    services.disable(actor, endpoint)
    tags.add(str(endpoint.etag))
    services.configure(actor, endpoint, is_strict=True)
    tags.add(str(endpoint.etag))
    assert len(tags) == 4


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({}, "Version 0 cannot be removed"),
        ({0: "second"}, "Version 0 is another pipeline"),
        ({0: "first", 7: "second"}, "The next version is 1, not 7"),
        ({0: "first", 1: "first"}, "already a version of the endpoint"),
    ],
)
def test_a_put_cannot_rewrite_history(actor, endpoint, pipeline, versions, words):
    known = {"first": pipeline, "second": factories.pipeline(actor.workspace)}
    with pytest.raises(ValidationError, match=words):
        services.update_endpoint(
            actor, endpoint, versions={number: known[name] for number, name in versions.items()}
        )
    assert version_numbers(endpoint) == [0]


def test_a_put_is_all_or_nothing(actor, endpoint, pipeline):
    second = factories.pipeline(actor.workspace)
    with pytest.raises(ValidationError, match="no version 5"):
        services.update_endpoint(
            actor, endpoint, versions={0: pipeline, 1: second}, default_version=5
        )
    assert version_numbers(endpoint) == [0]


def test_archive_renames_and_disables_at_once(actor, endpoint):
    services.update_endpoint(actor, endpoint, name=str(uuid4()), status="Disabled")
    assert not endpoint.is_active and verbs()[-1] == "disable"


# --- disabled ---------------------------------------------------------------------------------------


def test_of_several_all_or_none_are_disabled(actor, endpoint, pipeline):
    foreign = factories.endpoint(factories.workspace())
    with pytest.raises(Forbidden):
        services.disable(actor, endpoint, pipeline, foreign)
    assert PipelineEndpoint.objects.get(pk=endpoint.pk).is_active
    services.disable(actor, endpoint, pipeline)
    assert not endpoint.is_active and not pipeline.is_active


def test_the_gate_says_what_is_disabled(actor, endpoint, pipeline):
    version = endpoint.default_version
    services.check_runnable(endpoint, pipeline, version)
    services.disable(actor, pipeline)
    for where, words in (
        (
            (endpoint, pipeline, version),
            "Pipeline endpoint ep: version 0, the default, is disabled.",
        ),
        ((None, pipeline), f"Published pipeline trained ({pipeline.uuid}) is disabled."),
    ):
        with pytest.raises(Disabled) as refused:
            services.check_runnable(*where)
        assert (refused.value.message, refused.value.status) == (words, 400)
    services.enable(actor, pipeline)
    services.disable(actor, endpoint)
    with pytest.raises(Disabled, match="Pipeline endpoint ep is disabled"):
        services.check_runnable(endpoint, pipeline, version)
    services.check_runnable(None, pipeline)


def test_another_version_is_not_called_the_default(actor, endpoint):
    other = services.add_version(actor, endpoint, factories.pipeline(actor.workspace))
    services.disable(actor, other.pipeline)
    assert services.why_disabled(endpoint, other.pipeline, other).endswith("version 1 is disabled.")


def test_disabling_twice_is_one_change(actor, pipeline):
    services.disable(actor, pipeline)
    services.disable(actor, pipeline)
    assert pipeline.status == EntityStatus.DISABLED and verbs() == ["disable"]


# --- modules and folders ------------------------------------------------------------------------------


def test_a_modules_snapshot_must_exist(actor):
    with pytest.raises(ValidationError, match="There is no snapshot"):
        services.create_module(actor, name="m", structured_interface={}, storage_id=str(uuid4()))
    with pytest.raises(ValidationError, match="Expected a list"):
        services.create_module(actor, name="m", structured_interface={"Inputs": 3})
    with pytest.raises(ValidationError, match=r"ParallelRunStep cannot be run here\. Read the"):
        services.create_module(
            actor, name="m", structured_interface={}, step_type="ParallelRunStep"
        )
    assert not Module.objects.exists()


YAML = """\
pipeline:
  name: folder
  version: "3"
  default_compute: cpu-cluster
  parameters: {n: {type: int, default: 1}}
  data_references:
    plain: {datastore: workspaceblobstore, path_on_datastore: in/a}
  steps:
    one: &one
      type: PythonScriptStep
      script_name: one.py
      arguments: ["parameter:n"]
      inputs: {plain: {source: plain}}
"""


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "pipeline.yml").write_text(YAML)
    (source / "one.py").write_text("print(1)")
    return source


def test_a_folder_becomes_a_pipeline(actor, folder):
    pipeline = services.publish_folder(actor, folder, endpoint="ep")
    assert (pipeline.name, pipeline.version, pipeline.parameter_defaults) == (
        "folder",
        "3",
        {"n": "1"},
    )
    module = Module.objects.get()
    assert sorted(module.snapshot.files) == ["one.py", "pipeline.yml"]
    assert PipelineEndpoint.objects.get().default_version.pipeline == pipeline


def test_publishing_the_same_folder_again_finds_its_modules(actor, folder):
    first = services.publish_folder(actor, folder)
    second = services.publish_folder(actor, folder, version="4")
    assert first.graph.wire == second.graph.wire and first != second
    assert Module.objects.count() == Snapshot.objects.count() == 1
    (folder / "one.py").write_text("print(2)")
    services.publish_folder(actor, folder)
    assert Module.objects.count() == Snapshot.objects.count() == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("script_name: one.py", "script_name: gone.py", r"pipeline.yml:11: .*no file gone.py"),
        ("datastore: workspaceblobstore", "datastore: none", "data_references.plain: datastore none not found in workspace"),
        ("in/a", "../a", "leaves its datastore"),
        ("type: int, default: 1", "type: dataset, default: {dataset_name: gone}", "no parameter n|no dataset gone"),
    ],
)  # fmt: skip
def test_a_wrong_folder_leaves_nothing(actor, folder, old, new, words):
    (folder / "pipeline.yml").write_text(YAML.replace(old, new))
    with pytest.raises((ValidationError, Refused), match=words):
        services.publish_folder(actor, folder)
    for model in (PublishedPipeline, Graph, Module, Snapshot):
        assert not model.objects.exists()


def packed(folder, inside=""):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for file in folder.iterdir():
            target.write(file, f"{inside}{file.name}")
    archive.seek(0)
    return archive


@pytest.mark.parametrize("inside", ["", "project-main/"])
def test_a_zip_is_published_like_its_folder(actor, folder, inside):
    pipeline = services.publish_archive(actor, packed(folder, inside))
    assert pipeline.name == "folder"
    assert sorted(Snapshot.objects.get().files) == ["one.py", "pipeline.yml"]


def test_a_zip_of_a_mac_is_published_by_the_folder_beside_its_own_things(actor, folder):
    archive = packed(folder, "project/")
    with zipfile.ZipFile(archive, "a") as target:
        for name in ("__MACOSX/project/._one.py", ".DS_Store", "project/.DS_Store"):
            target.writestr(name, "x")
    archive.seek(0)
    services.publish_archive(actor, archive)
    assert sorted(Snapshot.objects.get().files) == ["one.py", "pipeline.yml"]
