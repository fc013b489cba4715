"""Files of a run: their names, and their bytes through signed addresses."""

import os

from azureml.exceptions import UserErrorException

ORIGIN = "ExperimentRun"
BLOCK_BYTES = 4 * 1024 * 1024


def artifact_name(name):
    """Names are relative paths with forward slashes, and stay below the run."""
    parts = [part for part in str(name).replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise UserErrorException("'{}' cannot be the name of a file of the run.".format(name))
    return "/".join(parts)


def location(container, path):
    return "aml://artifactId/{}/{}/{}".format(ORIGIN, container, path)


def artifact_names(wire, container):
    return [item["path"] for item in _pages(wire, "/artifacts/{}/{}".format(ORIGIN, container))]


def below(wire, container, prefix, origin=ORIGIN):
    """Name and download address of every file whose name begins so."""
    found = _pages(wire, "/artifacts/prefix/contentinfo/{}/{}/{}".format(origin, container, prefix))
    return [(item["path"], item["contentUri"]) for item in found]


def _pages(wire, path):
    query = {}
    while True:
        page = wire.find("artifact", path, **query) or {"value": []}
        for item in page["value"]:
            yield item
        if not page.get("continuationToken"):
            return
        query = {"continuationToken": page["continuationToken"]}


def download(wire, container, path, target):
    found = wire.get("artifact", "/artifacts/contentinfo/{}/{}/{}".format(ORIGIN, container, path))
    fetch(wire, found["contentUri"], target)


def fetch(wire, url, target):
    """The bytes of an address in a file, which appears only when it is whole."""
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    partial = target + ".part"
    with wire.open("GET", url) as reply, open(partial, "wb") as file:
        while True:
            chunk = reply.read(BLOCK_BYTES)
            if not chunk:
                break
            file.write(chunk)
    os.replace(partial, target)


def upload(wire, container, path, source):
    body = {"paths": [{"path": path}]}
    url = "/artifacts/batch/metadata/{}/{}".format(ORIGIN, container)
    reply = wire.post("artifact", url, body, repeatable=True)
    put(wire, reply["artifactContentInformation"][path]["contentUri"], source)


def put(wire, url, source):
    """A file or stream in blocks, so that none has to fit into memory."""
    if not hasattr(source, "read"):
        with open(source, "rb") as file:
            put(wire, url, file)
        return
    from base64 import b64encode
    from urllib.parse import quote

    blocks = []
    while True:
        chunk = source.read(BLOCK_BYTES)
        if not chunk:
            break
        data = chunk.encode("utf-8") if isinstance(chunk, str) else chunk
        block = b64encode("{:08d}".format(len(blocks)).encode("ascii")).decode("ascii")
        _put(wire, "{}&comp=block&blockid={}".format(url, quote(block, safe="")), data)
        blocks.append(block)
    listed = "".join("<Latest>{}</Latest>".format(block) for block in blocks)
    text = '<?xml version="1.0" encoding="utf-8"?><BlockList>{}</BlockList>'.format(listed)
    _put(wire, url + "&comp=blocklist", text.encode("ascii"))


def _put(wire, url, data):
    if "?" not in url:
        url = url.replace("&", "?", 1)
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
    with wire.open("PUT", url, data=data, headers=headers):
        pass
