"""A ModuleStep: a version of a named module, with arguments that the SDK writes as one text."""

import json

import pytest

from endpoints import data
from endpoints.models import Module
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db
SCRIPT = """
import os, pathlib, sys
print(pathlib.Path(sys.argv[2]).read_text(), sys.argv[1], sys.argv[3:], os.environ["COLOUR"])
print(os.environ["AZUREML_DATAREFERENCE_raw"] == os.environ["AZUREML_DATAREFERENCE_number"])
"""


def test_words_stand_for_ports_references_and_parameters(studio):
    place = data.locate(studio.actor.workspace, "workspaceblobstore", "in/number.txt")
    source = studio.path / "number.txt"
    source.write_text("3")
    data.upload_tree(source, place)
    pipeline = studio.publish(
        parameters={"rate": {"type": "string", "default": "1"}},
        data_references={
            "raw": {"datastore": "workspaceblobstore", "path_on_datastore": "in/number.txt"}
        },
        steps={
            "one": {
                "arguments": ["parameter:rate"],
                "inputs": {"number": {"source": "raw"}},
            }
        },
        scripts={"one.py": SCRIPT},
    )
    environment = {"environment": {"environmentVariables": {"COLOUR": "red"}}}
    Module.objects.update(step_type="ModuleStep", runconfig=json.dumps(environment))
    node = pipeline.graph.wire["ModuleNodes"][0]
    node["Runconfig"] = None
    words = next(row for row in node["ModuleParameters"] if row["Name"] == "Arguments")
    words["Value"] = "--in,$AZUREML_DATAREFERENCE_raw,$AML_PARAMETER_rate,two words"
    pipeline.graph.save()
    run = studio.run(pipeline, assignments={"rate": "7, 8; echo"})
    assert not run.error
    log = log_of(studio.step(run).run.uuid).decode()
    assert log == "3 --in ['7, 8; echo', 'two words'] red\nTrue\n"
