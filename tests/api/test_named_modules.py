"""Modules with a name and versions: what the SDK's Module and ModuleVersion call."""

import pytest

from endpoints.models import Module, ModuleVersion, NamedModule
from studio.core.models import AuditEvent, Role
from tests import factories

pytestmark = pytest.mark.django_db
INTERFACE = {
    "Inputs": [],
    "Outputs": [{"Name": "sum", "DataTypeId": "AnyFile"}],
    "Parameters": [{"Name": "Script", "DefaultValue": "add.py", "ParameterType": "String"}],
    "MetadataParameters": [],
}
VERSION = {
    "Name": "adder",
    "Description": "starts",
    "ModuleExecutionType": "escloud",
    "StructuredInterface": INTERFACE,
    "IdentifierHash": "a_b",
    "Category": "sums",
    "KvTags": {"team": "a"},
    "StepType": "ModuleStep",
}


class Modules:
    """The calls of the SDK."""

    def __init__(self, api):
        self.api = api
        self.named, self.versions = f"{api.P}/AzureMLModules", f"{api.P}/AzureMLModuleVersions"

    def create(self, name="adder"):
        return self.api.post(self.named, {"Name": name, "Description": "adds"})

    def publish(self, named, **more):
        return self.api.post(self.versions, {**VERSION, "AmlModuleId": named["Id"], **more})

    def get(self, named):
        return self.api.get(f"{self.named}/{named['Id']}").body

    def put(self, named, **changes):
        return self.api.put(f"{self.named}/{named['Id']}", {**self.get(named), **changes})

    def put_version(self, version, **changes):
        address = f"{self.versions}/{version['Data']['Id']}"
        read = self.api.get(address).body
        return self.api.put(address, {**read, "Data": {**read["Data"], **changes}})


@pytest.fixture
def modules(api):
    return Modules(api)


@pytest.fixture
def adder(modules):
    """With versions 1 and 2."""
    named = modules.create().body
    for number in ("1", "2"):
        assert modules.publish(named, Version=number).status == 200
    return modules.get(named)


def ids(named):
    return {row["Version"]: row["ModuleVersionId"] for row in named["Versions"]}


def test_a_module_is_found_by_id_and_by_name(api, modules):
    made = modules.create()
    assert made.status == 200
    named = made.body
    assert (named["EntityStatus"], named["DefaultVersion"], named["Versions"]) == (
        "Active",
        None,
        [],
    )
    assert modules.get(named) == named
    assert api.get(f"{modules.named}/Name?name=adder").body == named
    assert api.get(f"{modules.named}/Name?name=Adder").status == 404
    assert api.get(f"{modules.named}/Name").status == 400


def test_a_version_is_a_module_that_graphs_can_use(api, modules, adder):
    version = api.get(f"{modules.versions}/{ids(adder)['1']}").body
    assert version["ModuleId"] == adder["Id"]
    data = version["Data"]
    assert (data["Id"], data["EntityStatus"], data["StepType"]) == (
        ids(adder)["1"],
        "Active",
        "ModuleStep",
    )
    assert (data["Category"], data["tags"]) == ("sums", {"team": "a"})
    assert data["StructuredInterface"] == INTERFACE
    assert version["Interface"]["Ports"]["Outputs"][0]["Name"] == "sum"
    assert api.get(f"{api.P}/Modules/{data['Id']}").body["Data"]["Name"] == "adder"
    # A step of a script never becomes somebody's named module, though it looks the same.
    assert api.get(f"{api.P}/Modules/Hash/a_b").status == 404


def test_a_version_without_a_number_is_the_next_whole_one(modules, adder):
    modules.publish(adder, Version="2.5")
    modules.publish(adder)
    modules.publish(adder, Version="beta")
    modules.publish(adder, SetAsDefaultVersion=True)
    named = modules.get(adder)
    assert list(ids(named)) == ["1", "2", "2.5", "3", "beta", "4"]
    assert named["DefaultVersion"] == "4"


def test_a_taken_name_or_version_is_409_and_leaves_nothing(modules, adder):
    before = Module.objects.count()
    assert modules.create().status == 409
    refused = modules.publish(adder, Version="2")
    assert refused.status == 409
    assert "2" in refused.body["Error"]["Message"]
    other = modules.create("other").body
    assert modules.put(other, Name="adder").status == 409
    assert modules.get(other)["Name"] == "other"
    assert Module.objects.count() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Name": ""}, "Name"),
        ({"Version": "x" * 101}, "Version"),
        ({"ModuleExecutionType": "adlcloud"}, "ModuleExecutionType"),
        ({"StorageId": "5b1d5bb0-0000-4000-8000-000000000000"}, "StorageId"),
        ({"StructuredInterface": {"Inputs": [{}]}}, "Inputs"),
        ({"Runconfig": "no JSON"}, "Runconfig"),
        ({"KvTags": {"a": []}}, "KvTags"),
        ({"SetAsDefaultVersion": "perhaps"}, "SetAsDefaultVersion"),
    ],
)
def test_a_version_that_could_not_run_is_refused_by_name(modules, change, field):
    named = modules.create().body
    refused = modules.publish(named, **change)
    assert refused.status == 400
    assert field in str(refused.body["Error"])
    assert not Module.objects.exists() and not ModuleVersion.objects.exists()


def test_what_is_put_changes_and_the_rest_stays(modules, adder):
    changed = modules.put(adder, Name="summer", Description="sums", DefaultVersion="1").body
    assert (changed["Name"], changed["Description"], changed["DefaultVersion"]) == (
        "summer",
        "sums",
        "1",
    )
    assert changed["Etag"] != adder["Etag"]
    assert ids(changed) == ids(adder)
    assert modules.put(adder).body == changed, "the same again changes nothing"
    assert modules.api.put(f"{modules.named}/{adder['Id']}", {}).body == changed
    verbs = AuditEvent.objects.filter(kind="NamedModule").order_by("pk").values_list("verb")
    assert [verb for (verb,) in verbs] == ["create", "add version", "add version", "set default"]


@pytest.mark.parametrize(
    ("sent", "status"), [("1", "Deprecated"), (2, "Disabled"), ("active", "Active")]
)
def test_a_status_in_either_spelling(modules, adder, sent, status):
    assert modules.put(adder, EntityStatus=sent).body["EntityStatus"] == status
    version = modules.publish(adder).body
    assert modules.put_version(version, EntityStatus=sent).body["Data"]["EntityStatus"] == status


def test_a_version_keeps_its_code_whatever_is_put(modules, adder):
    version = modules.publish(adder, Version="3").body
    changed = modules.put_version(
        version, Description="new", Name="else", StructuredInterface={}, Id="x"
    ).body
    assert changed["Data"]["Description"] == "new"
    assert changed["Data"]["Name"] == "adder"
    assert changed["Data"]["StructuredInterface"] == INTERFACE
    assert changed["Data"]["Etag"] != version["Data"]["Etag"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"DefaultVersion": "9"}, "DefaultVersion"),
        ({"DefaultVersion": ["1"]}, "DefaultVersion"),
        ({"EntityStatus": "Gone"}, "EntityStatus"),
        ({"Name": " "}, "Name"),
        ({"Versions": [{"Version": "1"}]}, "ModuleVersionId"),
        ({"Versions": [{"ModuleVersionId": "x", "Version": "1"}]}, "Versions"),
        ({"Versions": 7}, "Versions"),
    ],
)
def test_a_wrong_put_changes_nothing_and_says_why(modules, adder, change, field):
    refused = modules.put(adder, Description="changed", **change)
    assert refused.status == 400
    assert field in str(refused.body["Error"])
    assert modules.get(adder) == adder


def test_versions_are_neither_renamed_nor_taken_from_another(modules, adder):
    renamed = [{"ModuleVersionId": ids(adder)["1"], "Version": "one"}]
    assert modules.put(adder, Versions=renamed).status == 400
    other = modules.create("other").body
    assert modules.put(other, Versions=adder["Versions"]).status == 400
    assert modules.get(other)["Versions"] == []


def test_a_stale_list_loses_nothing_and_a_stale_etag_is_409(modules, adder):
    modules.publish(adder, Version="3")
    stale = modules.put(adder, Versions=adder["Versions"])
    assert stale.status == 200
    assert list(ids(stale.body)) == ["1", "2", "3"]
    modules.put(adder, Description="theirs")
    refused = modules.put(adder, Description="ours", Etag=adder["Etag"])
    assert refused.status == 409
    assert modules.get(adder)["Description"] == "theirs"
    version = modules.publish(adder).body
    modules.put_version(version, Description="theirs")
    assert modules.put_version(version, Etag=version["Data"]["Etag"]).status == 409


def test_a_disabled_version_becomes_no_default(modules, adder):
    version = modules.publish(adder, Version="3").body
    modules.put_version(version, EntityStatus="Disabled")
    refused = modules.put(adder, DefaultVersion="3")
    assert refused.status == 409
    assert "disabled" in refused.body["Error"]["Message"]
    modules.put_version(version, EntityStatus="Active")
    modules.put(adder, DefaultVersion="3")
    modules.put_version(version, EntityStatus="Disabled")
    assert modules.put(adder, Description="more").status == 200, "the default stays what it was"


def of_version(named, workspace, name):
    """The wire of a pipeline with one step, which is this version."""
    graph = factories.graph(workspace).wire
    graph["ModuleNodes"][0]["ModuleId"] = ids(named)[name]
    return {"Name": "p", "Graph": graph, "GraphInterface": {}}


def test_what_is_disabled_goes_into_no_new_pipeline(api, modules, adder, workspace):
    create = f"{api.P}/Pipelines/Create"
    body = of_version(adder, workspace, "1")
    published = api.post(create, body)
    assert published.status == 200
    version = api.get(f"{modules.versions}/{ids(adder)['1']}").body
    modules.put_version(version, EntityStatus="Disabled")
    refused = api.post(create, body)
    assert refused.status == 400
    assert "Version 1 of module adder is disabled" in refused.body["Error"]["Message"]
    assert api.post(create, of_version(adder, workspace, "2")).status == 200
    modules.put_version(version, EntityStatus="Deprecated")
    assert api.post(create, body).status == 200
    modules.put(adder, EntityStatus="Disabled")
    assert api.post(create, body).status == 400
    assert api.post(published.body["Url"], {"ExperimentName": "e"}).status == 200


def test_readers_and_operators_look_and_write_nothing(api_as, modules, adder):
    reader, operator = Modules(api_as(Role.READER)), Modules(api_as(Role.OPERATOR))
    assert reader.get(adder) == adder
    version = operator.api.get(f"{operator.versions}/{ids(adder)['1']}").body
    assert operator.create("mine").status == 403
    assert operator.publish(adder, Version="3").status == 403
    assert operator.put(adder, Description="mine").status == 403
    assert operator.put_version(version, Description="mine").status == 403
    assert NamedModule.objects.count() == 1 and ModuleVersion.objects.count() == 2


def test_a_module_costs_the_same_with_more_versions(modules, adder, queries_of):
    def count(more: int) -> list[int]:
        for _ in range(more):
            modules.publish(adder)
        change = lambda: modules.put(adder, Description="more")  # noqa: E731
        return [queries_of(lambda: modules.get(adder)), queries_of(change)]

    few = count(1)
    assert few == count(27)
    assert few[0] <= 8 and few[1] <= 18
    assert len(modules.get(adder)["Versions"]) == 30
