"""Bodies as clients send them, by method and view: the shapes that routes read in depth."""

from tests.api.known import DATAFLOW, ID, LR, NAME

NODE = {
    "Id": "node-one",
    "ModuleId": ID,
    "Name": "one",
    "Comment": "",
    "UseGraphDefaultCompute": True,
    "RegenerateOutput": False,
    "Runconfig": '{"environment": {"name": "e"}, "target": "local"}',
    "ModuleParameters": [
        {"Name": "Script", "Value": "one.py", "ValueType": "0"},
        {"Name": "Target", "Value": "cpu-cluster", "ValueType": "0"},
        {"Name": "lr", "Value": "lr", "ValueType": "1"},
    ],
    "ModuleMetadataParameters": [{"Name": "TargetType", "Value": "mlc", "ValueType": "0"}],
    "ModuleOutputSettings": [
        {
            "Name": "out",
            "DataStoreName": "workspaceblobstore",
            "DataStoreMode": "mount",
            "DataReferenceName": "out",
            "PathOnCompute": None,
            "DatasetOutputOptions": {"PathOnDatastore": "x/{run-id}"},
            "DatasetRegistration": {"Name": NAME, "CreateNewVersion": True},
        }
    ],
    "ModuleInputSettings": [{"Name": "in", "DataStoreMode": "mount", "PathOnCompute": "in"}],
}
PORT = {"NodeId": "node-one", "PortName": "out", "GraphPortName": None}
GRAPH = {
    "ModuleNodes": [NODE],
    "DatasetNodes": [
        {
            "Id": "data",
            "DatasetId": ID,
            "DataPathParameterName": None,
            "DataSetDefinition": {
                "DataTypeShortName": "AzureMLDataset",
                "ParameterName": "ds",
                "Value": {"SavedDataSetReference": {"Id": ID}},
            },
        }
    ],
    "Edges": [{"SourceOutputPort": PORT, "DestinationInputPort": {**PORT, "PortName": "in"}}],
}
DATAPATH = {"DataStoreName": "workspaceblobstore", "RelativePath": "in/a"}
INTERFACE = {
    "Parameters": [LR],
    "DataPathParameters": [
        {"Name": "dp", "DefaultValue": DATAPATH, "IsOptional": True, "DataTypeId": "AnyFile"}
    ],
    "DataPathParameterList": [
        {"Name": "ds", "DefaultValue": {"DataSetReference": {"Id": ID, "Version": "1"}}}
    ],
}
ASSIGNED = {
    "ParameterAssignments": {"lr": "0.7"},
    "DataPathAssignments": {"dp": DATAPATH},
    "DataSetDefinitionValueAssignments": {"ds": {"SavedDataSetReference": {"Id": ID}}},
}
SUBMISSION = {
    "ExperimentName": NAME,
    "Description": "d",
    **ASSIGNED,
    "RunSource": "SDK",
    "RunType": "SDK",
    "ContinueRunOnStepFailure": True,
    "tags": {"a": "b"},
    "Properties": {"a": "b"},
}
CREATION = {
    "Description": "d",
    "RunSource": "SDK",
    "ContinueExperimentOnNodeFailure": True,
    "DisplayName": "n",
    **ASSIGNED,
}
PIPELINE = {
    "Name": NAME,
    "Description": "d",
    "Version": "1",
    "Graph": GRAPH,
    "GraphInterface": INTERFACE,
    "DataSetDefinitionValueAssignments": {"ds": {"SavedDataSetReference": {"Id": ID}}},
    "ContinueRunOnStepFailure": True,
    "Properties": {"a": "b"},
}
ENDPOINT = {
    "Id": ID,
    "Name": NAME,
    "Description": "d",
    "DefaultVersion": "0",
    "PipelineVersionList": [{"Version": "0", "PipelineId": ID}],
    "EntityStatus": "Active",
    "Properties": {"a": "b"},
    "tags": {"a": "b"},
    "Etag": ID,
}
RECURRENCE = {
    "Frequency": "Week",
    "Interval": 1,
    "StartTime": "2030-12-01T00:00:00",
    "TimeZone": "Eastern Standard Time",
    "Schedule": {"Hours": [6], "Minutes": [30], "WeekDays": ["Monday"]},
}
SCHEDULE = {
    "Name": NAME,
    "PipelineEndpointId": ID,
    "ScheduleType": "0",
    "PipelineSubmissionInfo": SUBMISSION,
    "Recurrence": RECURRENCE,
    "EntityStatus": "Active",
    "Etag": ID,
}
WATCH = {
    "Name": NAME,
    "PipelineId": ID,
    "ScheduleType": "1",
    "PipelineSubmissionInfo": {"ExperimentName": NAME},
    "DataStoreTriggerInfo": {
        "DataStoreName": "workspaceblobstore",
        "PollingInterval": 5,
        "PathOnDataStore": "in",
        "DataPathParameterName": "dp",
    },
}
MODULE = {
    "Name": NAME,
    "Description": "d",
    "IsDeterministic": True,
    "ModuleExecutionType": "escloud",
    "IdentifierHash": f"{'a' * 64}_{'b' * 64}",
    "StorageId": ID,
    "StepType": "PythonScriptStep",
    "Runconfig": "{}",
    "CloudSettings": {},
    "Properties": {"a": "b"},
    "StructuredInterface": {
        "Inputs": [{"Name": "in", "DataTypeIdsList": ["AnyFile"], "IsOptional": True}],
        "Outputs": [{"Name": "out", "DataTypeId": "AnyFile"}],
        "Parameters": [{"Name": "lr", "DefaultValue": "1", "ParameterType": "Double"}],
        "MetadataParameters": [{"Name": "Target", "DefaultValue": "x"}],
        "Arguments": [{"ValueType": "Parameter", "Value": "lr"}],
    },
}
MODULE_VERSION = {
    **MODULE,
    "AmlModuleId": ID,
    "Version": "2",
    "SetAsDefaultVersion": True,
    "Category": "c",
    "KvTags": {"a": "b"},
    "StepType": "ModuleStep",
}
NAMED_MODULE = {
    "Id": ID,
    "Name": NAME,
    "Description": "d",
    "DefaultVersion": "1",
    "Versions": [{"ModuleVersionId": ID, "Version": "1"}],
    "EntityStatus": "Active",
    "Etag": ID,
}
RUN = {
    "runId": ID,
    "parentRunId": ID,
    "name": "n",
    "status": "Running",
    "displayName": "n",
    "description": "d",
    "target": "sdk",
    "tags": {"a": "b"},
    "properties": {"a": "b"},
}
POINT = {
    "metricId": ID,
    "createdUtc": "2026-11-22T13:30:29.174470Z",
    "step": 1,
    "data": {"acc": 0.1},
}
METRICS = {
    "values": [
        {
            "name": "acc",
            "columns": {"acc": "double"},
            "properties": {"uxMetricType": "azureml.v1.scalar"},
            "value": [POINT],
        }
    ],
    "reportErrors": True,
}
QUERY = {
    "filter": "(ParentRunId eq null) and (Tags/a eq 'b')",
    "orderby": "StartTimeUtc desc",
    "top": 10,
    "continuationToken": "9",
}
SNAPSHOT = {
    "ParentSnapshotId": ID,
    "Tags": {"a": "b"},
    "Properties": {"a": "b"},
    "DirTreeNode": {
        "name": "",
        "type": "Directory",
        "hash": "0",
        "children": {"a.py": {"name": "a.py", "type": "File", "hash": "0", "children": {}}},
    },
    "FileRevisionList": {
        "FileNodes": [{"FullName": "a.py", "BlobUri": "https://h/uploads/a", "FileSize": 1}]
    },
}
COMPUTE = {
    "location": "x",
    "tags": {"a": "b"},
    "properties": {
        "computeType": "AmlCompute",
        "description": "d",
        "properties": {
            "vmSize": "x",
            "scaleSettings": {
                "minNodeCount": 0,
                "maxNodeCount": 4,
                "nodeIdleTimeBeforeScaleDown": "PT120S",
            },
        },
    },
}
MODEL = {
    "name": NAME,
    "url": f"aml://asset/{ID}",
    "runId": ID,
    "description": "d",
    "kvTags": {"a": "b"},
    "properties": {"a": "b"},
    "framework": "Custom",
    "unpack": False,
    "resourceRequirements": {"cpu": 1},
    "datasets": [{"id": ID, "name": "d"}],
}
SECRETS = {"secrets": [{"name": NAME, "value": "v"}]}
EXAMPLES = {
    ("POST", "CreatePipeline"): PIPELINE,
    ("PUT", "PipelineStatus"): "Disabled",
    ("POST", "CreateEndpoint"): {"Name": "e", "Description": "d", "PipelineId": ID},
    ("PUT", "ReplaceEndpoint"): ENDPOINT,
    ("POST", "Modules"): MODULE,
    ("POST", "CreateSchedule"): SCHEDULE,
    ("PUT", "ScheduleDetail"): SCHEDULE,
    **{
        ("POST", view): SUBMISSION
        for view in ("SubmitPipeline", "SubmitEndpoint", "SubmitEndpointByName", "SubmitAlias")
    },
    ("POST", "CreateWithGraph"): {
        "CreationInfo": CREATION,
        "Graph": GRAPH,
        "GraphInterface": INTERFACE,
    },
    **{
        ("POST", view): ["node-one"]
        for view in ("NodeStatusCode", "NodeStatus", "AllNodesStatus", "NodeLog", "NodeOutputs")
    },
    ("POST", "CreateNamedModule"): {"Name": "made", "Description": "d"},
    ("PUT", "NamedModuleDetail"): NAMED_MODULE,
    ("POST", "CreateModuleVersion"): MODULE_VERSION,
    ("PUT", "ModuleVersionDetail"): {
        "ModuleId": ID,
        "Data": {"Id": ID, "Description": "d", "EntityStatus": "Deprecated", "Etag": ID},
    },
    ("POST", "QueryExperiments"): QUERY,
    ("POST", "QueryRuns"): QUERY,
    ("PATCH", "RunDetail"): RUN,
    ("POST", "RunEvents"): {
        "name": "Microsoft.MachineLearning.Run.Error",
        "data": {"ErrorResponse": {"error": {"message": "m"}}},
    },
    ("POST", "MetricBatch"): METRICS,
    ("POST", "MetricFull"): {"metricName": NAME},
    ("POST", "MetricQuery"): {"filter": f"RunId eq {ID}", "top": 10, "orderby": ["RunId asc"]},
    ("POST", "ArtifactBatch"): {"paths": [{"path": "outputs/b.txt"}]},
    ("POST", "UploadBatch"): {"paths": [{"path": "model/b.txt"}]},
    ("POST", "Datasets"): {
        "name": NAME,
        "description": "d",
        "tags": {"a": "b"},
        "isVisible": True,
        "datasetType": "tabular",
        "latest": {"dataflow": DATAFLOW, "properties": {"a": "b"}},
    },
    ("POST", "SavedDatasets"): {
        "datasetType": "file",
        "properties": {"a": "b"},
        "dataflowJson": DATAFLOW,
    },
    ("POST", "DataSources"): {
        "Name": "d",
        "DataStoreName": "workspaceblobstore",
        "PathOnDataStore": "a",
        "IdentifierHash": "h",
    },
    ("POST", "UploadAddresses"): {"FileNames": ["a.py"]},
    ("POST", "CreateSnapshot"): SNAPSHOT,
    ("PUT", "Secrets"): {"name": NAME, "value": "v", "contentType": "t"},
    ("PUT", "SecretBatch"): SECRETS,
    ("POST", "SecretBatch"): SECRETS,
    ("PUT", "ComputeDetail"): COMPUTE,
    ("PATCH", "ComputeDetail"): COMPUTE,
    **{
        ("PUT", view): {
            "Name": NAME,
            "python": {"condaDependencies": {"dependencies": ["pip", {"pip": ["x"]}]}},
            "EnvironmentVariables": {"A": "b"},
            "Docker": {"baseImage": "x"},
        }
        for view in ("EnvironmentDetail", "EnvironmentByVersion", "EnvironmentByLabel")
    },
    ("POST", "Assets"): {
        "name": NAME,
        "runid": ID,
        "artifacts": [{"prefix": f"ExperimentRun/dcid.{ID}/outputs"}],
    },
    ("POST", "Models"): MODEL,
    ("PATCH", "ModelDetail"): [{"op": "replace", "path": "/kvTags", "value": {"a": "c"}}],
}
