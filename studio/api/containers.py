"""What is behind the container names of blob addresses: artifacts and logs of runs, files of
datastores, uploads for snapshots, snapshots as zips.

An address outlives a role, so the role of the actor it was made for is checked again at each write.
"""

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError

from endpoints import data
from endpoints.models import Datastore, Snapshot
from endpoints.snapshots import zips
from runs import logs, services
from runs.execution_log import EXECUTION_LOG, ExecutionLog
from runs.models import Run
from runs.tracking import artifacts, local_uploads, model_files
from runs.wire.entities import ARTIFACTS, LOGS, UPLOADED
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Forbidden, NotFound
from studio.core.models import Workspace
from studio.core.rest.views import find
from studio.storage import uploads
from studio.storage.store import Readable, State, joined, studio_store

CHUNK = 1 << 20
# One log for all builds of environments; it belongs to no run.
IMAGE_LOG = "image_build_log.txt"
IMAGE_LOG_TEXT = (
    "No image is built here: the worker makes a virtual environment of the packages, once, when a step"
    " first needs it. The log of that build is among the step's own logs.\n"
)


class Container(Protocol):
    """Methods raise NotFound for what does not exist, ValidationError for an invalid path."""

    def state(self, path: str) -> State: ...
    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]: ...
    def check_writer(self, path: str, by: Actor) -> None: ...
    def write(self, path: str, body: Readable, *, by: Actor) -> int: ...
    def append(self, path: str, body: Readable, *, at: int | None, by: Actor) -> int: ...
    def list(self, prefix: str) -> Iterator[tuple[str, State]]: ...


def container_of(name: str) -> Container:
    if name == ARTIFACTS:
        return Artifacts()
    if name == UPLOADED:
        return LocalUploads()
    if name == LOGS:
        return Logs()
    if name == uploads.CONTAINER:
        return Uploads()
    if name == zips.CONTAINER:
        return Snapshots()
    return DatastoreFiles(name)


class ReadOnly:
    def check_writer(self, path, by):
        raise NotFound("Nothing can be written here.")

    def write(self, path, body, *, by):
        raise NotFound("Nothing can be written here.")

    def append(self, path, body, *, at, by):
        raise NotFound("Nothing can be appended here.")

    def list(self, prefix):
        return iter(())


class Logs(ReadOnly):
    """`<run uuid>/<log name>`. A log that is still being written has its present length."""

    def state(self, path: str) -> State:
        run_uuid, name = split(path)
        if name == IMAGE_LOG:
            return State(len(IMAGE_LOG_TEXT), datetime.fromtimestamp(0, UTC), name)
        if name == EXECUTION_LOG:
            log = self.moves(run_uuid)
            return State(log.size, log.run.updated_at, str(log.size))
        try:
            return logs.log_state(run_uuid, name)
        except FileNotFoundError:
            raise NotFound(f"There is no log {path!r}.") from None

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        run_uuid, name = split(path)
        if name == IMAGE_LOG:
            return iter([IMAGE_LOG_TEXT.encode()[start:end]])
        if name == EXECUTION_LOG:
            return self.moves(run_uuid).stream(start=start, limit=end - start)
        return logs.stream_log(run_uuid, name, start=start, limit=end - start)

    def moves(self, run_uuid: UUID) -> ExecutionLog:
        return ExecutionLog(find(Run.objects.all(), str(run_uuid), "Run with ID"))


class Artifacts(ReadOnly):
    """`<run uuid>/<artifact path>`. The row is created when the content is stored."""

    def state(self, path: str) -> State:
        try:
            return studio_store().state(artifacts.blob_at(*split(path)))
        except FileNotFoundError:
            raise NotFound(f"There is no artifact {path!r}.") from None

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        return studio_store().stream(artifacts.blob_at(*split(path)), start=start, end=end)

    def check_writer(self, path: str, by: Actor) -> None:
        self.writable(path, by)

    def writable(self, path: str, by: Actor) -> tuple[Run, str]:
        run, name = self.run_of(path)
        require(by, "track", run)
        try:
            model_files.require_free(run, name)
        except model_files.ModelFile as error:
            audit.count(
                by,
                "write refused",
                kind="Run",
                name=str(run),
                object_uuid=run.uuid,
                status=error.status,
                reason=error.message,
            )
            raise
        return run, name

    def write(self, path: str, body: Readable, *, by: Actor) -> int:
        run, name = self.writable(path, by)
        return services.keep_artifact(by, run, path=name, stream=body).size

    def append(self, path: str, body: Readable, *, at: int | None, by: Actor) -> int:
        run, name = self.writable(path, by)
        return services.append_to_artifact(by, run, path=name, stream=body, at=at).size

    def run_of(self, path: str) -> tuple[Run, str]:
        run_uuid, name = split(path)
        run = Run.objects.select_related("workspace").filter(uuid=run_uuid).first()
        if run is None:
            raise NotFound(f"There is no run {run_uuid}.")
        return run, name


class LocalUploads(ReadOnly):
    """`<workspace uuid>/<container>/<path>`: files for models without a run."""

    def state(self, path: str) -> State:
        try:
            return studio_store().state(self.blob(path))
        except FileNotFoundError:
            raise NotFound(f"There is no upload {path!r}.") from None

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        return studio_store().stream(self.blob(path), start=start, end=end)

    def check_writer(self, path: str, by: Actor) -> None:
        workspace, container, _ = self.parts(path)
        require(by, "register")
        services.require_open(workspace, container)

    def write(self, path: str, body: Readable, *, by: Actor) -> int:
        _, container, name = self.parts(path)
        return services.keep_upload(by, container=container, path=name, stream=body)

    def blob(self, path: str) -> str:
        return local_uploads.blob_of(*self.parts(path))

    def parts(self, path: str) -> tuple[Workspace, str, str]:
        uuid, name = split(path)
        container, _, rest = name.partition("/")
        workspace = Workspace.objects.filter(uuid=uuid).first()
        if workspace is None:
            raise NotFound(f"There is no upload {path!r}.")
        return workspace, container, rest


class DatastoreFiles:
    """`datastore-<uuid>`: `endpoints.data` resolves every path and keeps it in its datastore."""

    def __init__(self, name: str):
        prefix, _, uuid = name.partition("-")
        found = None
        if prefix == "datastore":
            try:
                found = (
                    Datastore.objects.select_related("workspace").filter(uuid=UUID(uuid)).first()
                )
            except ValueError:
                found = None
        if found is None:
            raise NotFound(f"There is no container {name!r}.")
        self.datastore = found

    def at(self, path: str) -> data.Location:
        return data.resolve(self.datastore, path)

    def found(self, path: str) -> data.Location:
        """The file to read; names are allowed that steps used but clients may not choose."""
        return data.find(self.datastore, path)

    def state(self, path: str) -> State:
        try:
            return self.found(path).state()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"There is no blob {path!r}.") from None

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        with self.found(path).open() as file:
            yield from pieces(file, start, end)

    def check_writer(self, path: str, by: Actor) -> None:
        require(by, "upload", self.datastore)
        if by.run_uuid is not None and self.datastore.url:
            raise Forbidden("A step writes to the workspace's own datastore only.")

    def write(self, path: str, body: Readable, *, by: Actor) -> int:
        self.check_writer(path, by)
        place = self.at(path)
        if place.is_folder():
            raise ValidationError({"path": f"{path!r} is a folder."})
        return place.write(body)

    def append(self, path: str, body: Readable, *, at: int | None, by: Actor) -> int:
        """Write all of it again: running steps may hold links to the present file."""
        end = self.state(path).size if at is None else at
        with joined(self.stream(path, 0, end), body) as whole:
            return self.write(path, whole, by=by)

    def list(self, prefix: str) -> Iterator[tuple[str, State]]:
        folder = prefix.rpartition("/")[0]
        place = self.found(folder)
        if place.exists():
            for entry in place.files():
                if entry.path.startswith(prefix):
                    yield entry.path, entry.state


class Uploads(ReadOnly):
    def state(self, path: str) -> State:
        return uploads.state(path)

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        raise NotFound("Uploads are not read back.")

    def check_writer(self, path: str, by: Actor) -> None:
        require(by, "track")  # a folder by itself runs nothing

    def write(self, path: str, body: Readable, *, by: Actor) -> int:
        self.check_writer(path, by)
        return uploads.write(path, body)


class Snapshots(ReadOnly):
    """`<snapshot uuid>/code.zip`, packed when it is first requested."""

    def snapshot(self, path: str) -> Snapshot:
        uuid, _name = split(path)
        found = Snapshot.objects.filter(uuid=uuid).first()
        if found is None:
            raise NotFound(f"There is no snapshot {uuid}.")
        return found

    def state(self, path: str) -> State:
        snapshot = self.snapshot(path)
        with zips.packed(snapshot) as file:
            size = file.seek(0, io.SEEK_END)
        return State(size, snapshot.created_at, snapshot.content_hash)

    def stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        with zips.packed(self.snapshot(path)) as file:
            yield from pieces(file, start, end)


def pieces(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (chunk := file.read(min(CHUNK, end - start))):
        start += len(chunk)
        yield chunk


def split(path: str) -> tuple[UUID, str]:
    """The id of the run or workspace, and the rest, of `<uuid>/<name>`."""
    head, _, name = path.partition("/")
    try:
        return UUID(head), artifacts.checked(name)
    except ValueError:
        raise NotFound(f"There is no blob {path!r}.") from None


def staged_name(container: str, path: str, block: str) -> str:
    """Where a block of a blob waits for its list; clients choose block ids."""
    return f"blocks/{hashlib.sha256(f'{container}/{path}/{block}'.encode()).hexdigest()}"
