"""Questions to the studio over its REST API, with the token of the run."""

import json
import ssl
import time
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from azureml.exceptions import ServiceException

SERVICES = {
    "artifact": "/artifact/v2.0",
    "content": "/content/v2.0",
    "credential": "/credential/v2.0",
    "data": "/data/v1.0",
    "dataset": "/dataset/v1.0",
    "datastore": "/datastore/v1.0",
    "history": "/history/v1.0",
    "metric": "/metric/v2.0",
    "modelmanagement": "/modelmanagement/v1.0",
}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS = 100
PAUSES = (0.2, 0.5, 1, 2, 4, 8)  # a restart of the studio lasts a few seconds
BUSY = (429, 502, 503, 504)


class Wire(object):
    def __init__(self, scope):
        self.scope = scope
        handlers = [HTTPSHandler(context=ssl.create_default_context())]
        if urlsplit(scope.endpoint).hostname in LOOPBACK:
            handlers.append(ProxyHandler({}))
        self._opener = build_opener(*handlers)

    def get(self, service, path, **query):
        return self.call("GET", service, path, query=query)

    def find(self, service, path, **query):
        """Like `get`, but None for what is not there."""
        try:
            return self.get(service, path, **query)
        except ServiceException as error:
            if error.status_code == 404:
                return None
            raise

    def post(self, service, path, body, repeatable=False):
        return self.call("POST", service, path, body=body, repeatable=repeatable)

    def call(self, method, service, path, query=None, body=None, repeatable=True):
        url = self.scope.endpoint + SERVICES[service] + quote(self.scope.workspace_path + path)
        if query:
            url += "?" + urlencode(query)
        headers = {"Authorization": "Bearer " + self.scope.token, "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode("ascii")
            headers["Content-Type"] = "application/json; charset=utf-8"
        with self.open(method, url, data=data, headers=headers, repeatable=repeatable) as reply:
            text = reply.read()
        return json.loads(text.decode("utf-8")) if text.strip() else None

    def open(self, method, url, data=None, headers=None, repeatable=True):
        """The open reply of any address; signed ones carry their permission. A request that is not
        `repeatable` is repeated only if it never reached the studio."""
        request = Request(without_user(url), data=data, headers=headers or {}, method=method)
        for pause in PAUSES + (None,):
            try:
                return self._opener.open(request, timeout=TIMEOUT_SECONDS)
            except HTTPError as error:
                failure = _refusal(method, error)
                again = repeatable and error.code in BUSY
            except URLError as error:
                failure = _unreachable(url, error.reason)
                again = isinstance(error.reason, ConnectionRefusedError) or (
                    repeatable and not isinstance(error.reason, ssl.SSLError)
                )
            except OSError as error:  # cut off in the middle of a reply
                failure = _unreachable(url, error)
                again = repeatable
            if not again or pause is None:
                raise failure
            time.sleep(pause)


def without_user(url):
    """Upload addresses are made to survive the v1 SDK's rewriting: all before the @ is padding."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _refusal(method, error):
    text = error.read().decode("utf-8", "replace")
    try:
        body = json.loads(text)
        detail = body.get("error") or body.get("Error")
        message = detail.get("message") or detail.get("Message") or text
    except (AttributeError, ValueError):
        message = text.strip()[:500] or error.reason
    return ServiceException(
        "{} (HTTP {} on {} {})".format(message, error.code, method, urlsplit(error.url).path),
        status_code=error.code,
    )


def _unreachable(url, reason):
    return ServiceException("{} cannot be reached: {}".format(urlsplit(url).netloc, reason))
