"""What this package lacks of the v1 SDK: said where a script meets it, with the way to the real one."""

import os
import sys
from abc import ABCMeta

HOW = (
    "To have the real one in the step, add 'azureml-sdk' (for data frames also 'pandas') to the pip"
    " packages of its environment. If these name other azureml packages already,"
    ' environment.environment_variables = {"STUDIO_AZUREML": "real"} installs those.'
)
HOME = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def absent(name):
    return "The studio's small azureml package has no {}. {}".format(name, HOW)


class _Partial(ABCMeta):
    """Of ABCMeta, for scripts that make abstract classes of the SDK's."""

    def __getattr__(cls, name):
        raise AttributeError(_absent_from(cls, name))


class Partial(object, metaclass=_Partial):
    """A class of the SDK of which only a part is here."""

    def __getattr__(self, name):
        if hasattr(type(self), name):  # a property that failed with an AttributeError of its own
            return object.__getattribute__(self, name)
        raise AttributeError(_absent_from(type(self), name))


def _absent_from(kind, name):
    public = next(base.__name__ for base in kind.__mro__ if not base.__name__.startswith("_"))
    if name.startswith("_"):
        return "'{}' object has no attribute '{}'".format(public, name)
    return absent("{}.{}".format(public, name))


class Finder(object):
    """The last one that Python asks for a module below `azureml`: of another package in the step's
    environment, which this one hides, or of none. `from azureml.core import name` comes here too."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        parent = name.rpartition(".")[0]
        if parent.partition(".")[0] != "azureml" or not _is_ours(path):
            return None
        if parent == "azureml":
            from importlib.machinery import PathFinder

            others = [os.path.join(folder, "azureml") for folder in sys.path]
            found = PathFinder.find_spec(name, others)
            if found is not None:
                return found
        if _only_asks():
            return None
        # Python keeps quiet about an error that carries the name asked for by `from ... import`.
        raise ModuleNotFoundError(absent(name), name=parent)


def _is_ours(path):
    return any((os.path.abspath(folder) + os.sep).startswith(HOME) for folder in path or ())


def _only_asks():
    """Whether the question is `importlib.util.find_spec`, which is to be answered with None."""
    return sys._getframe(3).f_code.co_name == "find_spec"
