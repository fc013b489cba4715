"""The bodies of pipelines and endpoints that people write (wire.md 5, 6)."""

from endpoints.wire.fields import Status, entity_status, version_number
from studio.core.rest.bodies import Body
from studio.core.rest.schema import example, looks_like
from studio.core.rest.serializers import Flag, NameText, Object, Rows, Text, Texts, WireSerializer


@looks_like(Status)
class StatusWord(Text):
    def of(self, body: Body, key: str) -> str:
        return entity_status(body.get(key), name=key)


class VersionNumber(Text):
    """A version number; `called` is its name in a refusal, by default its key."""

    def __init__(self, source: str, *, called: str = "", **more):
        super().__init__(source, **more)
        self.called = called

    def of(self, body: Body, key: str) -> int:
        return version_number(body.get(key), key=self.called or key)


@example(
    {
        "Name": "Churn",
        "Description": "d",
        "Version": "1.0",
        "Graph": {"ModuleNodes": [], "DatasetNodes": [], "Edges": []},
        "GraphInterface": {
            "Parameters": [{"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}]
        },
        "Properties": {"team": "churn"},
    }
)
class NewPipeline(WireSerializer):
    Name = NameText("name")
    Description = Text("description", default="")
    Version = Text("version", default="", max_length=100, help_text="Free text.")
    Graph = Object("graph", default=dict, help_text="As the SDK writes it (wire.md 8.5).")
    GraphInterface = Object("interface", default=dict, help_text="Its parameters (wire.md 8.6).")
    DataSetDefinitionValueAssignments = Object(
        "dataset_defaults", default=dict, help_text="Defaults of datasets, by parameter name."
    )
    ContinueRunOnStepFailure = Flag(
        "continue_on_step_failure",
        default=False,
        help_text="Whether steps that do not depend on a failed one continue.",
    )
    Properties = Texts("properties", default=dict)


@example(
    {"Name": "churn", "Description": "d", "PipelineId": "5b1d5bb0-0000-4000-8000-000000000000"}
)
class NewEndpoint(WireSerializer):
    PipelineId = Text("pipeline", required=True, help_text="It becomes version 0, the default.")
    Name = NameText("name", help_text="No other endpoint of the workspace may have it.")
    Description = Text("description", default="")
    Properties = Texts("properties", default=dict)
    tags = Texts(default=dict)


class VersionRow(WireSerializer):
    Version = VersionNumber("number", called="PipelineVersionList.Version", required=True)
    PipelineId = Text("pipeline", required=True)


@example({"DefaultVersion": "1", "Description": "d", "EntityStatus": "Active"})
class ChangedEndpoint(WireSerializer):
    """The whole entity with changes; keys that are not there stay as they are."""

    Etag = Text("etag", help_text="As it was read: an old one is refused with 409.")
    Name = NameText("name", required=False)
    Description = Text("description")
    EntityStatus = StatusWord("status", help_text="Disabled: the endpoint refuses every trigger.")
    PipelineVersionList = Rows(
        "versions", VersionRow(), help_text="All versions, with new ones; none can be removed."
    )
    DefaultVersion = VersionNumber("default_version", help_text="What runs without a version.")
    tags = Texts()
    Properties = Texts("properties")
