"""Read-only pages of datasets and datastores: versions and files."""

import mimetypes
from urllib.parse import urlencode

from django.db.models import Count, Max, QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from endpoints import data
from endpoints.models import Dataset, DatasetVersion, Datastore
from studio.core import file_names
from studio.core.access import require
from studio.core.db.keyset import numbered, paginate
from studio.core.ui.paging import place


@require_safe
def dataset_list(request):
    require(request.actor, "read")
    rows = Dataset.objects.filter(workspace=request.actor.workspace, is_visible=True)
    query = request.GET.get("q", "").replace("\0", "").strip()
    if query:
        rows = rows.searched(query)
    counted = rows.annotate(newest=Max("versions__number"), kept=Count("versions"))
    page = numbered(counted.order_by("name"), request.GET)
    context = {"nav": "datasets", "page": page, "query": query}
    return render(request, "endpoints/dataset_list.html", context)


@require_safe
def dataset_detail(request, uuid):
    """One version, the latest unless `?version=` names another, above a list of all."""
    require(request.actor, "read")
    dataset = get_object_or_404(Dataset, workspace=request.actor.workspace, uuid=uuid)
    versions = dataset.versions.order_by("-number")
    version = _version(versions.select_related("saved"), request.GET.get("version", ""))
    context = {
        "nav": "datasets",
        "dataset": dataset,
        "version": version,
        "flow": data.read_dataflow(version.saved.dataflow) if version else None,
        "latest": versions.values_list("number", flat=True).first(),
        "page": paginate(versions, **place(request.GET)),
    }
    return render(request, "endpoints/dataset_detail.html", context)


def _version(versions: QuerySet[DatasetVersion], number: str) -> DatasetVersion | None:
    """The one of this number; without, the first, which a dataset may lack."""
    if not number:
        return versions.first()
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Http404
    return get_object_or_404(versions, number=int(number))


@require_safe
def datastore_list(request):
    require(request.actor, "read")
    rows = Datastore.objects.filter(workspace=request.actor.workspace).order_by("name")
    return render(
        request, "endpoints/datastore_list.html", {"nav": "datastores", "stores": list(rows)}
    )


@require_safe
def datastore_detail(request, name):
    """A folder of a datastore, or with `?download=1` one of its files."""
    require(request.actor, "read")
    store = get_object_or_404(Datastore, workspace=request.actor.workspace, name=name)
    given = request.GET.get("quoted")
    path = request.GET.get("path", "") if given is None else file_names.unquoted(given)
    place = data.find(store, path)
    if "download" in request.GET:
        return _file(place)
    if place.path and not place.exists():
        raise Http404
    parts = [part for part in place.path.split("/") if part]
    context = {
        "nav": "datastores",
        "store": store,
        "place": place,
        "path": file_names.shown(place.path),
        "folders": [
            (_address("/".join(parts[: n + 1])), file_names.shown(part))
            for n, part in enumerate(parts)
        ],
        # An unused store has no folder yet.
        "entries": [_row(entry) for entry in place.listing()] if place.exists() else [],
    }
    return render(request, "endpoints/datastore_detail.html", context)


def _row(entry: data.Entry) -> dict:
    """A row of the table: folders can be opened, files downloaded."""
    is_folder = entry.path.endswith("/")
    path = entry.path.rstrip("/")
    name = file_names.shown(path.rpartition("/")[2])
    return {
        "name": f"{name}/" if is_folder else name,
        "size": entry.size,
        "is_folder": is_folder,
        "icon": "folder" if is_folder else "file",
        "url": _address(path) if is_folder else f"{_address(path)}&download=1",
    }


def _address(path: str) -> str:
    """The path for an address. Bytes that are not UTF-8 have no text, and Django would replace
    them."""
    return "?" + urlencode(
        {"path": path} if file_names.is_text(path) else {"quoted": file_names.quoted(path)}
    )


def _file(place):
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    reply = FileResponse(
        place.open(), as_attachment=True, filename=file_names.shown(place.name), content_type=kind
    )
    reply["X-Content-Type-Options"] = "nosniff"
    return reply
