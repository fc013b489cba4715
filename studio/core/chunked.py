"""Bodies that come in chunks, without a length. The web server gives none for them, and to Django a
body without a length is empty."""

import json
from http import HTTPStatus
from tempfile import SpooledTemporaryFile

from django.conf import settings

from studio.core.rest import error_body

IN_MEMORY = 1 << 20
PIECE = 1 << 16


class WithLength:
    """A WSGI application whose callers need not name the length of what they send."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if environ.get("CONTENT_LENGTH") or not environ.get("HTTP_TRANSFER_ENCODING"):
            return self.application(environ, start_response)
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        with SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            # Unlike one with a length, such a body is read before it is known who sends it.
            if not _copy(environ["wsgi.input"], body, limit):
                return _too_large(limit, start_response)
            environ["CONTENT_LENGTH"] = str(body.tell())
            body.seek(0)
            environ["wsgi.input"] = body
            # Nothing reads a body after its answer began.
            return self.application(environ, start_response)


def _copy(source, target, limit: int) -> bool:
    left = limit
    while piece := source.read(PIECE):
        left -= len(piece)
        if left < 0:
            return False
        target.write(piece)
    return True


def _too_large(limit: int, start_response) -> list[bytes]:
    message = (
        f"The body is larger than {limit} bytes (STUDIO_MAX_BODY_BYTES), which is the most that may "
        "come in chunks, without a Content-Length."
    )
    answer = json.dumps(error_body(code="UserError", message=message)).encode()
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [answer]
