"""What the in-step azureml package lacks: a script is told so where it asks for it, and how to get it."""

import os
import subprocess
import textwrap

import pytest

from runs.steps.environments import parse
from tests.runs.test_sdk import BARE, SDK

REAL = "add 'azureml-sdk'"


def run(code, *, also=()):
    """The script's output, its error beside it, run by a bare Python with the package on its path."""
    path = os.pathsep.join([str(SDK), *map(str, also)])
    return subprocess.run(
        [*BARE, "-W", "error", "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
    )


def definition(*pip, **variables):
    dependencies = {"dependencies": [{"pip": list(pip)}]}
    return {"python": {"condaDependencies": dependencies}, "environmentVariables": variables}


def test_the_advice_is_true():
    """`azureml-sdk` brings azureml-core along, and with it the small package is not on the path."""
    assert parse(definition("azureml-sdk")).requirements == ("azureml-sdk",)
    named = parse(definition("azureml-core==1.61.0", STUDIO_AZUREML="real"))
    assert named.requirements == ("azureml-core==1.61.0",)


def test_abstract_classes_can_be_made_of_its_own():
    found = run("""
        from abc import ABC, abstractmethod
        from azureml.core import Run

        class Mine(Run, ABC):
            @abstractmethod
            def name(self): ...

        print(Mine.__abstractmethods__)
    """)
    assert found.stdout == "frozenset({'name'})\n"


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [
        ("import azureml.core.nothing", "azureml.core.nothing"),
        ("from azureml.data.nothing import X", "azureml.data.nothing"),
        ("import azureml.train.automl", "azureml.train"),
        ("import azureml.telemetry", "azureml.telemetry"),
        ("__import__('importlib').import_module('azureml.widgets')", "azureml.widgets"),
    ],
)
def test_an_import_of_what_is_not_there_says_how_to_get_it(statement, lacking):
    uncaught = run(statement)
    assert uncaught.returncode == 1
    last = uncaught.stdout.strip().splitlines()[-1]
    assert last.startswith(
        "ModuleNotFoundError: The studio's small azureml package has no " + lacking
    )
    assert REAL in last
    caught = run(f"try:\n    {statement}\nexcept ImportError:\n    print('goes without')")
    assert caught.stdout == "goes without\n"


NAMES = """
    from azureml.core import (
        ComputeTarget, Environment, Experiment, Image, Model, Run, RunConfiguration, ScriptRunConfig,
        Webservice, Workspace, compute
    )
    from azureml.core.authentication import ServicePrincipalAuthentication
    from azureml.core.compute import AmlCompute, ComputeTarget
    from azureml.core.compute_target import ComputeTargetException
    from azureml.core.conda_dependencies import CondaDependencies
    from azureml.core.environment import Environment
    from azureml.core.model import Dataset, InferenceConfig, Model
    from azureml.core.resource_configuration import ResourceConfiguration
    from azureml.core.run import Run, _OfflineRun
    from azureml.core.runconfig import DEFAULT_CPU_IMAGE, RunConfiguration
    from azureml.core.webservice import AciWebservice, Webservice
    from azureml.data import DataType, OutputFileDatasetConfig
    from azureml.data.azure_storage_datastore import AzureBlobDatastore
    from azureml.data.data_reference import DataReference
    from azureml.data.datapath import DataPath, DataPathComputeBinding
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
    from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
    from azureml.exceptions import ComputeTargetException, UserErrorException
    from azureml.pipeline.core import PipelineData, PipelineRun, PublishedPipeline
    from azureml.pipeline.core.graph import PipelineParameter
    from azureml.pipeline.steps import PythonScriptStep
    import azureml.core.runconfig as configuration
    import azureml.pipeline.core
"""


def test_what_public_scripts_import_can_be_imported_and_named():
    done = run(
        textwrap.dedent(NAMES)
        + textwrap.dedent("""
        class Mine(Environment):
            config: RunConfiguration = None

        def prepare(target: AmlCompute, where: "DataReference") -> OutputFileDatasetConfig: ...

        print(isinstance(1, AmlCompute), configuration.RunConfiguration is RunConfiguration)
        print(azureml.pipeline.core.PipelineData is PipelineData)
        try:
            raise UserErrorException("x")
        except ComputeTargetException:
            print("wrong")
        except UserErrorException:
            ServicePrincipalAuthentication("tenant", service_principal_id="a")
        """)
    )
    assert done.stdout == "False True\nTrue\n"


@pytest.mark.parametrize(
    ("expression", "lacking"),
    [
        ("core.Environment('e')", "azureml.core.Environment."),
        ("core.compute.AmlCompute(None, 'c')", "azureml.core.compute.AmlCompute."),
        ("type('Mine', (core.ScriptRunConfig,), {})('.')", "azureml.core.ScriptRunConfig."),
        ("data.OutputFileDatasetConfig()", "azureml.data.OutputFileDatasetConfig."),
        ("core.Dataset.Tabular.from_delimited_files('a.csv', include_path=True)", "'include_path'"),
    ],
)
def test_a_name_that_does_nothing_here_refuses_to_be_used(expression, lacking):
    done = run(
        f"""
        from azureml import core, data
        try:
            {expression}
        except NotImplementedError as error:
            print(error)
        """
    )
    assert done.stdout.startswith("The studio's small azureml package has no " + lacking)
    assert REAL in done.stdout


@pytest.mark.parametrize(
    ("expression", "lacking"),
    [
        ("core.Environment.get(None, 'e')", "azureml.core.Environment.get"),
        ("core.compute.ComputeTarget.create", "azureml.core.compute.ComputeTarget.create"),
        ("core.Dataset.Tabular.from_sql_query()", "TabularDatasetFactory.from_sql_query"),
        ("data.DataType.to_stream()", "DataType.to_stream"),
        ("data.TabularDataset(None).filter", "TabularDataset.filter"),
        ("data.TabularDataset(None).random_split(0.5)", "TabularDataset.random_split"),
        ("data.FileDataset(None).as_mount()", "FileDataset.as_mount"),
        ("core.Experiment(None, 'e').start_logging()", "Experiment.start_logging"),
        ("core.Run(None, 'id').wait_for_completion()", "Run.wait_for_completion"),
        ("run._SubmittedRun(None, 'id').submit_child", "Run.submit_child"),
        ("core.Workspace.list()", "Workspace.list"),
        ("object.__new__(core.Workspace).location", "Workspace.location"),
        ("object.__new__(core.Datastore).path('a')", "Datastore.path"),
        ("core.Datastore.register_azure_blob_container()", "Datastore.register_azure_blob"),
        ("core.Model.deploy()", "Model.deploy"),
        ("core.Keyvault(None).list_secrets()", "Keyvault.list_secrets"),
    ],
)
def test_a_call_of_what_is_not_there_says_how_to_get_it(expression, lacking):
    done = run(
        f"""
        from azureml import core, data
        from azureml.core import run
        try:
            {expression}
        except AttributeError as error:
            print(error)
        """
    )
    assert done.stdout.startswith("The studio's small azureml package has no " + lacking)
    assert REAL in done.stdout


def test_questions_about_what_is_there_are_answered_as_ever():
    done = run(
        """
        import copy, importlib.util, inspect
        import azureml.core
        from azureml.core import Dataset, Experiment, Run, run
        print(azureml.core.run is run, azureml.core.dataset.Dataset is Dataset)
        print(hasattr(azureml.core, "_private"), hasattr(azureml.core, "__wrapped__"))
        print(hasattr(Dataset, "Scenario"), getattr(Run, "submit_child", None))
        print([importlib.util.find_spec("azureml." + name) for name in ("widgets", "core.nothing")])
        print(importlib.util.find_spec("azureml.core.run").name)
        print(copy.copy(Experiment(None, "e")).name, bool(inspect.getmembers(Run)))
        """
    )
    assert done.stdout.splitlines() == [
        "True True",
        "False False",
        "False None",
        "[None, None]",
        "azureml.core.run",
        "e True",
    ]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("_nothing", "'Experiment' object has no attribute '_nothing'"),
        ("id", "'NoneType' object has no attribute '_wire'"),  # raised within the property
    ],
)
def test_other_errors_stay_what_they_are(expression, said):
    done = run(f"from azureml.core import Experiment\nExperiment(None, 'e').{expression}")
    assert f"AttributeError: {said}" in done.stdout
    assert REAL not in done.stdout


def test_other_packages_below_the_name_are_found(tmp_path):
    """Such as azureml-mlflow, which brings no azureml-core along."""
    package = tmp_path / "azureml" / "other"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from azureml.other.part import PART\n")
    (package / "part.py").write_text("PART = 'of another package'\n")
    done = run("from azureml.other import PART\nprint(PART)", also=[tmp_path])
    assert done.stdout == "of another package\n"
    done = run("import azureml.other.nothing", also=[tmp_path])
    assert "No module named 'azureml.other.nothing'" in done.stdout
    assert REAL in run("import azureml.train", also=[tmp_path]).stdout
