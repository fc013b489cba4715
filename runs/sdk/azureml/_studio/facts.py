"""Facts about the run, appended as JSON lines to a file that the worker follows.

A step must not fail because a fact could not be written: trouble is retried, then told on stderr.
"""

import os
import sys
import time

try:
    from _json import encode_basestring_ascii as quoted
except ImportError:  # another implementation of Python
    from json.encoder import encode_basestring_ascii as quoted

MAX_LINE_BYTES = 1024 * 1024
CHUNK_BYTES = 4 * 1024 * 1024
PAUSES = (0.02, 0.1, 0.3, 1.0, 0)
WORKER_POLL_SECONDS = 1.5
APPLIED_WITHIN_SECONDS = 10


def now():
    """UTC with microseconds, without the cost of importing datetime."""
    seconds = time.time()
    return "{}.{:06d}Z".format(
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)), int(seconds % 1 * 1000000)
    )


def encoded(value):
    """JSON of the few kinds of values in a fact; importing `json` would double a step's start."""
    if isinstance(value, dict):
        pairs = ("{}: {}".format(quoted(key), encoded(value[key])) for key in value)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return float.__repr__(value) if isinstance(value, float) else int.__repr__(value)


def warn(message):
    sys.stderr.write("azureml: {}\n".format(message))


class FactFile(object):
    """Threads and forks share the file safely: every batch of lines is one write to a descriptor
    opened for appending."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "facts.jsonl")
        self.uploads = os.path.join(folder, "uploads")
        self.applied = os.path.join(folder, "applied")
        self._end = 0
        self._written_at = None

    def append(self, facts):
        lines = []
        for fact in facts:
            line = encoded(fact).encode("ascii") + b"\n"
            if len(line) >= MAX_LINE_BYTES:
                warn(
                    "the {} '{}' is larger than 1 MiB and was not kept; upload a file instead.".format(
                        fact["kind"], fact.get("name") or fact.get("key") or ""
                    )
                )
                continue
            lines.append(line)
        if lines:
            self._write(b"".join(lines))

    def _write(self, data):
        for pause in PAUSES:
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    while data:
                        data = data[os.write(descriptor, data) :]
                    self._end = os.fstat(descriptor).st_size
                    self._written_at = time.time()
                finally:
                    os.close(descriptor)
                return
            except OSError as error:
                trouble = error
                time.sleep(pause)
        warn("something that the script logged could not be kept: {}".format(trouble))

    def keep_copy(self, source):
        """The path of a copy of a file or stream, as the script may change it at once."""
        os.makedirs(self.uploads, exist_ok=True)
        path = os.path.join(self.uploads, os.urandom(16).hex())
        with open(path, "xb") as target:
            copy_into(target, source)
        return path

    def wait_until_applied(self):
        """Wait until the worker has applied what was written. It says how far it is in the file
        `applied`; where there is none, its polling interval is waited out."""
        if self._written_at is None:
            return
        started = time.time()
        while time.time() - started < APPLIED_WITHIN_SECONDS:
            applied = self._applied()
            if applied is None:
                if time.time() - self._written_at >= WORKER_POLL_SECONDS:
                    return
            elif applied >= self._end:
                return
            time.sleep(0.02)

    def _applied(self):
        try:
            with open(self.applied) as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return None


def copy_into(target, source):
    if hasattr(source, "read"):
        while True:
            chunk = source.read(CHUNK_BYTES)
            if not chunk:
                return
            target.write(chunk.encode("utf-8") if isinstance(chunk, str) else chunk)
    with open(source, "rb") as file:
        copy_into(target, file)


class FactWriter(object):
    """What one run has to tell, as facts: for the step itself and for its parent."""

    def __init__(self, file, run_id):
        self.file = file
        self.run_id = run_id
        self.container = "dcid." + run_id

    def _fact(self, kind, **fields):
        fields.update(kind=kind, run=self.run_id)
        return fields

    def metric(self, rows):
        at = now()
        self.file.append(
            [
                self._fact(
                    "metric",
                    name=row.name,
                    type=row.type,
                    columns=row.columns,
                    step=row.step,
                    value=row.value,
                    at=at,
                )
                for row in rows
            ]
        )

    def tags(self, tags):
        self.file.append([self._fact("tag", key=key, value=tags[key]) for key in tags])

    def remove_tags(self, keys):
        self.file.append([self._fact("remove_tag", key=key) for key in keys])

    def properties(self, properties):
        self.file.append(
            [self._fact("property", key=key, value=properties[key]) for key in properties]
        )

    def describe(self, kind, value):
        self.file.append([self._fact(kind, value=value)])

    def upload(self, path, source):
        self.file.append([self._fact("upload", path=path, file=self.file.keep_copy(source))])

    def status(self, status, message=None, code=None):
        self.file.append([self._fact("status", status=status, message=message, code=code)])

    def wait_until_applied(self):
        self.file.wait_until_applied()
