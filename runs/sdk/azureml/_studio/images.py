"""Pictures given to `log_image`: a file that is one, or a plot that is drawn into one."""

import io
import os
import time

from azureml.exceptions import UserErrorException

BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


def image_file(name, path, plot):
    """The name and the source of the picture's file."""
    if (path is None) == (plot is None):
        raise UserErrorException("log_image takes either path or plot.")
    if plot is not None:
        return "{}_{}.png".format(name, int(time.time())), _drawn(plot)
    path = os.fspath(path)
    if not _is_image(path):
        raise UserErrorException("The file '{}' is not an image.".format(path))
    return (os.path.basename(path) if os.path.isabs(path) else path), path


def _drawn(plot):
    if not hasattr(plot, "savefig"):
        raise UserErrorException(
            "plot must be matplotlib.pyplot or a figure; for a picture file, give path."
        )
    stream = io.BytesIO()
    plot.savefig(stream, format="png")
    stream.seek(0)
    return stream


def _is_image(path):
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UserErrorException(
            "The image '{}' cannot be read: {}".format(path, error.strerror)
        ) from error
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return head.startswith(BEGINNINGS) or webp or b"<svg" in head
