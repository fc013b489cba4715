"""Files of a run: artifacts, output data and code."""

import shutil
import zipfile
from tempfile import SpooledTemporaryFile

from django.http import FileResponse, Http404, HttpResponse
from django.views.decorators.http import require_safe

from endpoints import data
from runs import logs
from runs.execution_log import EXECUTION_LOG, ExecutionLog
from runs.models import Artifact, Kind, Run
from runs.parts import visible_runs
from runs.parts.code_files import code_file
from studio.core import file_names
from studio.core.ui import fragments
from studio.core.ui.files import answer
from studio.storage.paths import sent_path
from studio.storage.store import studio_store

IN_MEMORY = 8 * 1024 * 1024


@require_safe
def artifact(request, uuid, path):
    """A file of a run; for a reused step, of the original."""
    run = visible_runs.find_any(request, uuid)
    # PostgreSQL refuses a query with a NUL character.
    named = Artifact.objects.none() if "\0" in path else Artifact.objects.filter(path=path)
    found = named.filter(run=visible_runs.source_of(run)).first()
    if found is None:
        sent_path(path)  # raises if no file can have this name
        raise Http404
    return answer(request, found.path, lambda: studio_store().open(found.blob))


@require_safe
def data_file(request, uuid, path):
    """A file of an output: `<name of the output>/<path in it>`."""
    run = visible_runs.find_any(request, uuid)
    name, _slash, rest = path.partition("/")
    place = run.step.outputs.get(name) if run.kind == Kind.STEP else None
    if not place:
        raise Http404
    output = data.locate(run.workspace, place["datastore"], place["path"])
    if rest and file_names.is_plain(rest):
        sent_path(rest)
    wanted = output.find(f"{output.path}/{rest}") if rest else output
    return answer(request, wanted.path, wanted.open)


@require_safe
def code(request, uuid, path):
    run = visible_runs.find_run(request, uuid)
    return code_file(request, run.pipeline_run.graph.uuid, path)


@require_safe
def everything(request, uuid):
    """All logs and files of a run and its steps as one archive; for a step only its own."""
    run = visible_runs.find_any(request, uuid)
    if request.method == "HEAD":  # HEAD needs no archive
        return fragments.guarded(HttpResponse(content_type="application/zip"))
    archive = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        if run.kind == Kind.PIPELINE:
            target.writestr(EXECUTION_LOG, ExecutionLog(run).text)
        for folder, owner in _owners(run):
            _add(target, folder, owner)
    archive.seek(0)
    response = FileResponse(archive, as_attachment=True, filename=file_names.shown(f"{run}.zip"))
    return fragments.guarded(response)


def _owners(run: Run):
    """Folder in the archive and the run whose files go there."""
    parts = Run.objects.filter(pk__in=Run.objects.below(run)).select_related(
        "step__reused_from__run"
    )
    for part in parts.order_by("pk"):
        name = _entry(str(part)).replace("/", "_")
        folder = "" if part.pk == run.pk else f"{part.number:02d}-{name}-{part.uuid.hex[:4]}/"
        yield folder, visible_runs.source_of(part)


def _entry(name: str) -> str:
    """The name in the archive. When Windows unpacks, a backslash would separate folders."""
    return file_names.shown(name).replace("\\", "_")


def _add(target: zipfile.ZipFile, folder: str, owner: Run) -> None:
    for name in logs.log_names(owner.uuid):
        with target.open(f"{folder}{name}", "w", force_zip64=True) as file:
            for data_piece in logs.stream_log(owner.uuid, name):
                file.write(data_piece)
    for kept in Artifact.objects.filter(run=owner).order_by("path"):
        try:
            source = studio_store().open(kept.blob)
        except FileNotFoundError:
            continue  # the file is gone; the others are still useful
        with source, target.open(folder + _entry(kept.path), "w", force_zip64=True) as file:
            shutil.copyfileobj(source, file)
