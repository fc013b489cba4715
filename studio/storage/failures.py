"""Errors of storages: an invalid name is refused; a failed write may be tried again."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from studio.core.errors import BadValue, Conflict, Refused

NO_SUCH_PLACE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
NO_PLACE = (*NO_SUCH_PLACE, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)


@contextmanager
def place_for(path: str) -> Iterator[None]:
    """Turns file system errors about a name that callers chose into a refusal."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise Conflict(f"{path!r} is a folder already, or lies below a file.") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise BadValue(f"{path[:80]!r}… is too long a path.", target="path") from error


class StoreFailed(OSError):
    """A storage could not store something; a retry may succeed."""


class StoreAway(Refused, StoreFailed):
    """A storage is not available, such as a share that is not mounted; writes are retried until it is."""


@contextmanager
def storing(name: str) -> Iterator[None]:
    """Turns the errors of any storage into StoreFailed, except errors about a name that the storage cannot
    hold: a retry would fail again."""
    try:
        yield
    except (Refused, ValidationError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_PLACE:
            raise
        raise StoreFailed(
            getattr(error, "errno", None), f"{name} could not be stored: {error}"
        ) from error
