"""Errors for what this package lacks of the v1 SDK. They say how to install the real one."""

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


# Modules of the real package (and of azureml-pipeline) that scripts import together with what they use:
# their names are here, and refuse when they are used.
NAMES_ONLY = {
    "azureml.core": (
        "compute compute.amlcompute compute.computeinstance compute.compute compute.aks compute.remote"
        " compute.kubernetescompute compute_target conda_dependencies container_registry databricks"
        " environment image image.container image.image linked_service private_endpoint profile"
        " resource_configuration runconfig script_run script_run_config util webservice"
        " webservice.aci webservice.aks webservice.local webservice.webservice"
    ),
    "azureml.data": (
        "abstract_datastore azure_data_lake_datastore azure_my_sql_datastore"
        " azure_postgre_sql_datastore azure_sql_database_datastore azure_storage_datastore constants"
        " context_managers data_reference datacache dataset_consumption_config dataset_definition"
        " dataset_profile dbfs_datastore hdfs_datastore output_dataset_config sql_data_reference"
        " stored_procedure_parameter"
    ),
    "azureml": "pipeline",
    "azureml.pipeline": (
        "core core.builder core.graph core.module core.pipeline core.pipeline_draft"
        " core.pipeline_endpoint core.pipeline_output_dataset core.run core.schedule steps"
        " steps.command_step steps.data_transfer_step steps.databricks_step steps.estimator_step"
        " steps.hyper_drive_step steps.module_step steps.mpi_step steps.parallel_run_config"
        " steps.parallel_run_step steps.python_script_step steps.r_script_step"
    ),
}


def has_names_of(name):
    """Whether a module is one of NAMES_ONLY."""
    for parent in NAMES_ONLY:
        if name.startswith(parent + ".") and name[len(parent) + 1 :] in NAMES_ONLY[parent].split():
            return True
    return False


class _Absent(ABCMeta):
    """The type of classes that scripts may import, subclass, compare and annotate with, but not call."""

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(absent(cls._absent))

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError("type object '{}' has no attribute '{}'".format(cls.__name__, name))
        raise AttributeError(absent("{}.{}".format(cls._absent, name)))


class _Module(type(sys)):
    """A module that loads names when they are first asked for. Of a name that only the real package
    has it makes a class that refuses to be used, not to be imported. A class and not a function
    `__getattr__` in the module, which Python 3.6 does not know."""

    def __getattr__(self, name):
        full_name = "{}.{}".format(self.__name__, name)
        if name.startswith("_"):
            raise AttributeError("module '{}' has no attribute '{}'".format(self.__name__, name))
        homes = self.__dict__.get("_HOMES", {})
        if full_name in homes.values() or has_names_of(full_name):
            value = _import(full_name)  # the real package has its modules loaded
        elif name in homes:
            value = getattr(_import(homes[name]), name)
        else:
            value = _Absent(name, (), {"_absent": full_name, "__module__": self.__name__})
        self.__dict__[name] = value
        return value


def _import(name):
    __import__(name)
    return sys.modules[name]


def lend_names(name):
    """Let scripts import any name from this module. Its `_HOMES` says which module has the names that work."""
    sys.modules[name].__class__ = _Module


class Finder(object):
    """Finds a module below `azureml` that is not in this package: in another package of the step's
    environment, which this package hides, or as a module whose names can only be imported."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        parent = name.rpartition(".")[0]
        if parent.partition(".")[0] != "azureml" or not _is_ours(path):
            return None
        if parent == "azureml":
            from importlib.machinery import PathFinder

            others = [os.path.join(folder, "azureml") for folder in sys.path]
            found = PathFinder.find_spec(name, others)
            if found is not None:
                return found
        if has_names_of(name):
            from importlib.machinery import ModuleSpec

            spec = ModuleSpec(name, cls, is_package=True)
            spec.submodule_search_locations.append(os.path.join(HOME, "_names", name))
            return spec
        if _only_asks():
            return None
        # Python keeps quiet about an error that carries the name asked for by `from ... import`.
        raise ModuleNotFoundError(absent(name), name=parent)

    @staticmethod
    def create_module(spec):
        return _Module(spec.name)

    @staticmethod
    def exec_module(module):
        pass


def _is_ours(path):
    return any((os.path.abspath(folder) + os.sep).startswith(HOME) for folder in path or ())


def _only_asks():
    """Whether the question is `importlib.util.find_spec`, which is to be answered with None."""
    return sys._getframe(3).f_code.co_name == "find_spec"
