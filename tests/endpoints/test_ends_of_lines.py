"""Browsers send each end of a line as CRLF: a value left as it was shown stays what it is, and a text
of several lines that somebody writes has line feeds."""

import pytest
from django import forms
from django.urls import reverse

from endpoints.models import PipelineEndpoint
from runs.models import Run, Schedule
from studio.core.ui.forms import TextArea
from tests import factories

pytestmark = pytest.mark.django_db
QUERY = "SELECT 1\nFROM t"


@pytest.fixture
def endpoint(workspace, as_role):
    as_role()
    defaults = {"lf": QUERY, "crlf": "SELECT 2\r\nFROM t", "cr": "a\rb", "mixed": "a\r\nb\nc"}
    rows = [{"Name": name, "Type": "3", "DefaultValue": text} for name, text in defaults.items()]
    rows.append({"Name": "choice", "Type": "3", "DefaultValue": "", "Choices": ["", "x\ny"]})
    return factories.endpoint(workspace, pipelines=[factories.pipeline(workspace, parameters=rows)])


def as_a_browser(fields: dict) -> dict:
    """What a form's data is encoded as."""
    return {
        name: text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
        for name, text in fields.items()
    }


def shown(client, address: str) -> dict:
    """The fields of a form's page with their values, as a browser finds them."""
    form = client.get(address).context["form"]
    return {bound.html_name: str(bound.value()) for bound in form if bound.value() is not None}


def submit(client, endpoint, **fields):
    address = reverse("runs:endpoint-submit", args=[endpoint.uuid])
    given = {**shown(client, address), "experiment_choice": "new", "new_experiment": "e"}
    reply = client.post(address, as_a_browser({**given, **fields}))
    assert reply.status_code == 302, reply.context["form"].errors
    return Run.objects.pipeline_runs().latest("pk")


def test_what_is_left_as_it_was_shown_keeps_its_default(client, endpoint):
    run = submit(client, endpoint).pipeline_run
    assert run.parameters["lf"] == QUERY
    assert run.parameters["crlf"] == "SELECT 2\r\nFROM t"
    assert run.parameters["mixed"] == "a\r\nb\nc"
    assert run.parameters["cr"] == "a\rb"
    assert set(run.provenance.values()) == {"Default"}


def test_what_somebody_writes_has_line_feeds(client, endpoint):
    run = submit(
        client, endpoint, param_lf="SELECT 3\nFROM t", description="a\nb", tags="a = b\nc = d",
        param_choice="x\ny",
    )  # fmt: skip
    assert run.pipeline_run.parameters["lf"] == "SELECT 3\nFROM t"
    assert run.pipeline_run.parameters["choice"] == "x\ny"
    assert run.pipeline_run.provenance["lf"] == "Caller"
    assert run.description == "a\nb"
    assert run.tags == {"a": "b", "c": "d"}


def test_a_run_that_is_repeated_keeps_the_values_it_had(client, endpoint, actor):
    run = submit(client, endpoint, param_lf="x\ny")
    run.pipeline_run.parameters["crlf"] = "p\r\nq"
    run.pipeline_run.save()
    address = f"/runs/{run.uuid}/resubmit/"
    reply = client.post(address, as_a_browser(shown(client, address)))
    assert reply.status_code == 302, reply.context["form"].errors
    again = Run.objects.pipeline_runs().latest("pk").pipeline_run
    assert again.parameters["lf"] == "x\ny"
    assert again.parameters["crlf"] == "p\r\nq"
    assert again.parameters["mixed"] == "a\r\nb\nc"


def test_a_schedule_assigns_only_what_was_changed(client, endpoint):
    address = f"/pipelines/schedules/new/?target=endpoint:{endpoint.uuid}"
    fields = shown(client, address) | {
        "name": "s", "trigger": "Recurrence", "frequency": "Day", "interval": "1",
        "experiment_choice": "new", "new_experiment": "e", "description": "a\nb",
        "param_lf": "x\ny", "one_run_per_batch": "",
    }  # fmt: skip
    reply = client.post(address, as_a_browser(fields))
    assert reply.status_code == 302, reply.context["form"].errors
    kept = Schedule.objects.get().settings
    assert kept["assignments"] == {"lf": "x\ny"}
    assert kept["description"] == "a\nb"


def test_the_description_of_an_endpoint(client, endpoint):
    address = f"/endpoints/{endpoint.uuid}/edit/"
    client.post(address, as_a_browser({"description": "a\nb", "tags": "team = x\nz"}))
    row = PipelineEndpoint.objects.get()
    assert (row.description, row.tags) == ("a\nb", {"team": "x", "z": ""})


def test_a_tag_whose_name_has_a_sign_stays_what_it_is(client, endpoint):
    tags = {"a=b": "c", "d=": "", "e": "f=g", "h": ""}
    PipelineEndpoint.objects.update(tags=tags)
    address = f"/endpoints/{endpoint.uuid}/edit/"
    client.post(address, as_a_browser(shown(client, address) | {"description": "new"}))
    row = PipelineEndpoint.objects.get()
    assert (row.description, row.tags) == ("new", tags)


def subclasses(form):
    for found in form.__subclasses__():
        yield found
        yield from subclasses(found)


def test_every_text_of_several_lines_has_the_one_widget():
    ours = [
        form for form in subclasses(forms.BaseForm)
        if form.__module__.split(".")[0] in ("endpoints", "runs", "studio")
    ]  # fmt: skip
    assert len(ours) > 8
    for form in ours:
        for name, field in form.base_fields.items():
            if isinstance(field.widget, forms.Textarea):
                assert isinstance(field.widget, TextArea), f"{form.__name__}.{name}"
