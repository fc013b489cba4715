"""Files of any name over REST: listed in JSON and XML that can be read, and fetched by their addresses."""

from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest
from django.test import Client

from endpoints import data
from endpoints.models import Datastore
from runs.models import Run
from runs.tracking import artifacts
from studio.core import file_names, tokens
from studio.storage import links
from tests import factories

pytestmark = pytest.mark.django_db

ODD = ["bell\x07.txt", "new\nline.txt", "back\\slash.txt", "%41.txt", "q?#&<é>.txt", "100%.txt"]
BROKEN = "caf\udce9.txt"


def test_artifacts_are_listed_and_fetched(api, actor, workspace, tmp_path):
    run = factories.run(actor, experiment="e", pipeline=factories.pipeline(workspace))
    step = Run.objects.get(parent=run)
    for name in ODD:
        (tmp_path / name).write_text(ascii(name))
        artifacts.add_artifact(step, f"outputs/{name}", tmp_path / name)
    base = f"/artifact/v2.0{workspace.scope}/artifacts"
    container = f"ExperimentRun/dcid.{step.uuid}"
    listed = api.get(f"{base}/{container}").body["value"]
    assert {row["path"] for row in listed} >= {f"outputs/{name}" for name in ODD}
    for name in ODD:
        found = api.get(f"{base}/contentinfo/{container}/{quote(f'outputs/{name}')}")
        uri = urlsplit(found.body["contentUri"])
        assert read(f"{uri.path}?{uri.query}") == ascii(name)
    whole = api.get(f"{base}/prefix/contentinfo/{container}/outputs/").body["value"]
    assert len(whole) == len(ODD)


def read(address: str) -> str:
    reply = Client().get(address)
    assert reply.status_code == 200, address
    return b"".join(reply.streaming_content).decode()


def test_the_listing_of_a_datastore_is_xml_whatever_it_holds(api, workspace):
    store = Datastore.objects.get(workspace=workspace)
    top = data.resolve(store, "odd").local
    top.mkdir(parents=True)
    for name in (*ODD, BROKEN):
        (top / name).write_text(ascii(name))
    container = f"datastore-{store.uuid}"
    maker = tokens.actor_of(tokens.from_plain(api.token))
    sas = links.container_sas(container, by=maker, may="rl")
    seen, marker = [], ""
    while True:
        address = f"/{container}{sas}&restype=container&comp=list&prefix=odd/&maxresults=3"
        reply = Client().get(f"{address}&marker={quote(marker)}")
        assert reply.status_code == 200
        document = ElementTree.fromstring(reply.content)  # noqa: S314 - our own
        for row in document.iter("Name"):
            seen.append(file_names.unquoted(row.text) if row.get("Encoded") == "true" else row.text)
        marker = document.findtext("NextMarker")
        if not marker:
            break
    assert sorted(seen) == sorted(f"odd/{name}" for name in (*ODD, BROKEN))
    for path in seen:
        assert read(f"/{container}/{file_names.quoted(path)}{sas}") == ascii(path[4:])
