"""What every workspace starts with, and the bundled samples. It can be run again without effect."""

from pathlib import Path

from django.db import transaction

from endpoints import data, services
from endpoints.models import ComputeTarget, Dataset, Datastore, PipelineEndpoint
from studio.core.access import Actor, system_actor
from studio.core.models import User, Workspace
from studio.core.workspaces import add_workspace, create_admin, create_workspace

SAMPLES = Path(__file__).resolve().parent / "samples"
FIRST = "studio"
COMPUTE = "cpu-cluster"
DATASTORE = "workspaceblobstore"
DATASETS = (
    ("titanic-training", "tabular", "training.csv", "Titanic passengers to train with"),
    ("titanic-inference", "tabular", "inference.csv", "Titanic passengers to try the model on"),
    ("titanic-training-file", "file", "training.csv", "The training passengers as a file"),
    ("titanic-inference-file", "file", "inference.csv", "The other passengers as a file"),
)
# Each is published once per version text; `compare` twice, so that its endpoint has two versions.
PIPELINES = (
    ("compare", ("1.0", "2.0")),
    ("titanic", ("1.0",)),
    ("datapath", ("1.0",)),
    ("flaky", ("1.0",)),
)


@transaction.atomic  # an interrupted first start begins again
def create_first_workspace(*, samples: bool) -> tuple[User, str]:
    """The workspace of a new studio, and its administrator with a random password."""
    workspace = create_workspace(name=FIRST, resource_group=FIRST)
    user, password = create_admin(workspace=workspace)
    seed(workspace, samples=samples)
    return user, password


@transaction.atomic  # a workspace without its datastore would be incomplete
def create_further_workspace(*, samples: bool, **options: str) -> Workspace:
    """`add_workspace`, with what the first one started with."""
    workspace = add_workspace(**options)
    seed(workspace, samples=samples)
    return workspace


def seed(workspace: Workspace | None = None, *, samples: bool = True) -> None:
    """Create what is missing in `workspace` (default: the first one)."""
    workspace = workspace or Workspace.objects.earliest("pk")
    ComputeTarget.objects.get_or_create(
        workspace=workspace, name=COMPUTE, defaults={"description": "The workers of this studio"}
    )
    store, _ = Datastore.objects.get_or_create(
        workspace=workspace,
        name=DATASTORE,
        defaults={
            "is_default": not Datastore.objects.filter(
                workspace=workspace, is_default=True
            ).exists()
        },
    )
    if not samples:
        return
    actor = system_actor(workspace)
    _store_files(store)
    for name, kind, file, description in DATASETS:
        _register(actor, name, kind, f"samples/titanic/{file}", description)
    for folder, versions in PIPELINES:
        _publish(actor, folder, versions)


def _store_files(store: Datastore) -> None:
    """Store the samples' data. Existing files are left alone, because somebody may have changed
    them."""
    for folder in ("titanic", "datapath"):
        source = SAMPLES / folder / "data"
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            place = data.resolve(store, f"samples/{folder}/{file.relative_to(source).as_posix()}")
            if not place.exists():
                data.upload_tree(file, place)


def _register(actor: Actor, name: str, kind: str, path: str, description: str) -> None:
    if Dataset.objects.filter(workspace=actor.workspace, name=name).exists():
        return
    uri = data.datastore_uri(actor.workspace, DATASTORE, path)
    services.register_dataset(
        actor,
        name=name,
        dataset_type=kind,
        dataflow=data.write_dataflow([uri], tabular=kind == "tabular"),
        description=description,
    )


def _publish(actor: Actor, name: str, versions: tuple[str, ...]) -> None:
    """Publish all versions or none, so that an interrupted start can begin this sample again."""
    if PipelineEndpoint.objects.filter(workspace=actor.workspace, name=name).exists():
        return
    with transaction.atomic():
        for version in versions:
            services.publish_folder(
                actor, SAMPLES / name, version=version, endpoint=name, set_default=True
            )
