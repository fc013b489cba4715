"""Prints what its environment gives it."""

import importlib.util
import os

from azureml.core import Run

print("colour", os.environ.get("COLOUR"))
print("packaging", importlib.util.find_spec("packaging") is not None)
print("secret", Run.get_context().get_secret("sdk-secret"))
