"""The public methods and properties of the classes named, as JSON; runs in the SDK's environment.

What a class has from another class of the list is told with that one.
"""

import importlib
import inspect
import json
import sys


def load(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def public(found, others):
    for name in dir(found):
        owner = next(base for base in found.__mro__ if name in base.__dict__)
        member = inspect.getattr_static(found, name)
        spoken = callable(member) or isinstance(member, (property, staticmethod, classmethod))
        own = owner is found or owner not in others
        if own and spoken and not name.startswith("_") and owner.__module__.startswith("azureml"):
            yield name


classes = {path: load(path) for path in sys.argv[1:]}
found = {path: list(public(one, set(classes.values()))) for path, one in classes.items()}
sys.stdout.write(f"members {json.dumps(found)}\n")
