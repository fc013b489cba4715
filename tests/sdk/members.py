"""The public methods and properties of the SDK's classes; run in the SDK's environment, as JSON.

A member that a class inherits from another class of the list counts for that one; an abstract member
counts for the classes that implement it.
"""

import importlib
import inspect
import json
import sys


def load(paths: list[str]) -> dict[str, type]:
    parts = {path: path.rpartition(".") for path in paths}
    return {
        path: getattr(importlib.import_module(module), name)
        for path, (module, _, name) in parts.items()
    }


def public(found: type, others: set[type]):
    """The names of one class's own public members."""
    for name in dir(found):
        owner = next(base for base in found.__mro__ if name in base.__dict__)
        member = inspect.getattr_static(found, name)
        spoken = callable(member) or isinstance(member, (property, staticmethod, classmethod))
        own = owner is found or owner not in others
        if getattr(member, "__isabstractmethod__", False):
            continue  # told with the class that has it
        if own and spoken and not name.startswith("_") and owner.__module__.startswith("azureml"):
            yield name


def all_public(paths: list[str]) -> dict[str, list[str]]:
    classes = load(paths)
    return {path: list(public(one, set(classes.values()))) for path, one in classes.items()}


if __name__ == "__main__":
    sys.stdout.write(f"members {json.dumps(all_public(sys.argv[1:]))}\n")
