"""Runs a flow in the SDK's environment and writes down which of the SDK's public members ran.

`python traced.py FLOW OUT CLASS...`: OUT becomes JSON, {class: [names of members that ran]}.
"""

import inspect
import json
import runpy
import sys
from collections import defaultdict
from pathlib import Path

from members import all_public, load


def code_of(one: type, name: str):
    """The code that runs when the member is used, below its decorators; None for what is no code."""
    member = inspect.getattr_static(one, name)
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, (staticmethod, classmethod)):
        member = member.__func__
    return getattr(inspect.unwrap(member), "__code__", None)


class Recorder:
    """Called by the interpreter at each call; a method shared by classes counts for its object's."""

    def __init__(self, paths: list[str]):
        self.classes = load(paths)
        self.watched = defaultdict(list)
        self.ran = {path: set() for path in paths}
        for path, names in all_public(paths).items():
            for name in names:
                code = code_of(self.classes[path], name)
                if code is None:
                    self.ran[path].add(name)  # a class or a value: nothing to be called
                else:
                    self.watched[code].append((path, name))

    def __call__(self, frame, event, argument):
        if event == "call" and frame.f_code in self.watched:
            code = frame.f_code
            first = code.co_varnames[0] if code.co_argcount else ""
            subject = frame.f_locals[first] if first in ("self", "cls") else None
            for path, name in self.watched[code]:
                if subject is None or self.is_of(path, subject):
                    self.ran[path].add(name)

    def is_of(self, path: str, subject) -> bool:
        kind = subject if isinstance(subject, type) else type(subject)
        return issubclass(kind, self.classes[path])


flow, out, *paths = sys.argv[1:]
recorder = Recorder(paths)
sys.setprofile(recorder)
try:
    runpy.run_path(flow, run_name="__main__")
finally:
    sys.setprofile(None)
    ran = {path: sorted(names) for path, names in recorder.ran.items()}
    Path(out).write_text(json.dumps(ran))
