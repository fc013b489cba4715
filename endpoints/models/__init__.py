from endpoints.models.compute import ComputeTarget
from endpoints.models.data import Dataset, DatasetVersion, DataSource, Datastore, SavedDataset
from endpoints.models.endpoint import EndpointVersion, PipelineEndpoint
from endpoints.models.environment import Environment, EnvironmentVersion
from endpoints.models.module import Module, ModuleStatus, ModuleVersion, NamedModule
from endpoints.models.pipeline import EntityStatus, Graph, PublishedPipeline
from endpoints.models.snapshot import Snapshot

__all__ = [
    "ComputeTarget",
    "DataSource",
    "Dataset",
    "DatasetVersion",
    "Datastore",
    "EndpointVersion",
    "EntityStatus",
    "Environment",
    "EnvironmentVersion",
    "Graph",
    "Module",
    "ModuleStatus",
    "ModuleVersion",
    "NamedModule",
    "PipelineEndpoint",
    "PublishedPipeline",
    "SavedDataset",
    "Snapshot",
]
