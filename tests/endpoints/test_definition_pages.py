"""Pages of definitions: who may see and do what, what they show, and what they refuse."""

import json
import re

import pytest
from django.urls import reverse

from endpoints.graph import read_interface
from endpoints.models import DatasetVersion, EndpointVersion, EntityStatus
from endpoints.parameters import Kind, Parameter
from endpoints.services import register_dataset
from endpoints.views import consume, versions
from runs.forms.parameters import VERSIONS_OFFERED
from runs.models import Experiment, Run
from runs.parts import definitions
from studio.core.models import AuditEvent, Role
from tests import factories

INT = {"Name": "pipeline_arg", "Type": "0", "DefaultValue": "10", "IsOptional": True}


@pytest.fixture
def endpoint(workspace):
    return factories.endpoint(workspace, "train", parameters=[{**INT, "Declared": True}])


def address(name, row, query=""):
    app = "runs" if name.endswith("-submit") else "endpoints"
    return reverse(f"{app}:{name}", args=[row.uuid]) + query


def post_run(client, row, door="endpoint-submit", **fields):
    given = {
        "experiment_choice": "new",
        "new_experiment": "first",
        "key": "k1",
        "param_pipeline_arg": "10",
        **fields,
    }
    return client.post(address(door, row), given)


# --- lists -------------------------------------------------------------------------------------------
def test_list_shows_endpoints_and_single_pipelines(client, workspace, endpoint, as_role):
    as_role()
    single = factories.pipeline(workspace, "alone")
    for route in ("/endpoints/", "/pipelines/endpoints/"):
        page = client.get(route).content.decode()
        assert endpoint.get_absolute_url() in page
        assert single.get_absolute_url() in page
        assert endpoint.default_version.pipeline.get_absolute_url() not in page


def test_disabled_rows_show_only_when_asked_for(client, workspace, endpoint, as_role):
    as_role()
    off = factories.endpoint(workspace, "off")
    off.status = EntityStatus.DISABLED
    off.save()
    assert "off</a>" not in client.get("/endpoints/").content.decode()
    assert "off</a>" in client.get("/endpoints/?include_disabled=true").content.decode()


def test_the_four_empty_lists_say_why(client, workspace, as_role):
    as_role()
    assert "Nothing is published yet" in client.get("/endpoints/").content.decode()
    off = factories.endpoint(workspace, "off")
    off.status = EntityStatus.DISABLED
    off.save()
    hidden = client.get("/endpoints/").content.decode()
    assert "1 disabled row is hidden" in hidden
    assert "No match" in client.get("/endpoints/?q=zzz").content.decode()
    client.force_login(factories.user())
    assert client.get("/endpoints/").status_code == 403


@pytest.mark.parametrize(
    "query", ["q=growth", "q=통계", "q=TRAIN", "owner=kim", "sort=-submitted", "size=10"]
)
def test_search_and_filters_find_the_row(client, endpoint, as_role, query):
    as_role()
    endpoint.tags, endpoint.created_by = {"team": "growth", "name": "통계"}, "kim"
    endpoint.save()
    assert endpoint.get_absolute_url() in client.get(f"/endpoints/?{query}").content.decode()


def test_search_finds_by_id(client, endpoint, as_role):
    as_role()
    page = client.get("/endpoints/", {"q": str(endpoint.uuid)[:13]}).content.decode()
    assert endpoint.get_absolute_url() in page


@pytest.mark.parametrize(
    "query",
    ["sort=nonsense", "page=x", "size=7", "last_status=Odd", "q=%00", "status=odd", "page=99999"],
)
def test_nonsense_in_the_address_is_ignored(client, endpoint, as_role, query):
    as_role()
    for route in ("/endpoints/", "/pipelines/published/"):
        assert client.get(f"{route}?{query}").status_code == 200


@pytest.mark.parametrize("sort", ["name", "-submitted", "last_status", "-updated", "status"])
def test_every_sort_orders_both_kinds_of_row(client, workspace, endpoint, as_role, sort):
    as_role()
    factories.pipeline(workspace, "alone")
    page = client.get("/endpoints/", {"sort": sort}).content.decode()
    assert 'name="selected"' in page
    assert page.count('name="selected"') == 2


def test_names_sort_whatever_their_case(client, workspace, as_role):
    as_role()
    for name in ("beta", "Alpha", "gamma"):
        factories.endpoint(workspace, name)
    page = client.get("/endpoints/?sort=name").content.decode()
    assert re.findall(r">(beta|Alpha|gamma)</a>", page) == ["Alpha", "beta", "gamma"]


def test_last_runs_of_a_row_are_its_own(client, workspace, endpoint, as_role):
    as_role()
    other = factories.endpoint(workspace, "other")
    for number in range(12):
        post_run(client, endpoint, key=f"a{number}")
    post_run(client, other, key="b")
    page = client.get("/endpoints/").content.decode()
    assert "Last 10 runs:" in page
    assert "Last run:" in page


def test_the_poll_gets_the_table_alone(client, endpoint, as_role):
    as_role()
    page = client.get("/endpoints/", headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<div class="card" id="catalogue"')


# --- access ------------------------------------------------------------------------------------------
PAGES = ["endpoint-detail", "endpoint-versions", "endpoint-runs", "endpoint-consume"]
PIPELINE_PAGES = ["pipeline-detail", "pipeline-runs", "pipeline-consume"]


def test_other_workspaces_objects_are_not_found(client, as_role):
    as_role()
    foreign = factories.endpoint(factories.workspace(), "foreign")
    names = [*PAGES, "endpoint-edit", "endpoint-disable", "endpoint-submit"]
    for name in names:
        assert client.get(address(name, foreign)).status_code == 404
    for name in [*PIPELINE_PAGES, "pipeline-submit"]:
        assert client.get(address(name, foreign.default_version.pipeline)).status_code == 404
    assert client.post(address("endpoint-enable", foreign)).status_code == 404
    assert "foreign" not in client.get("/endpoints/").content.decode()


def test_nobody_sees_anything_without_signing_in(client, endpoint):
    for name in PAGES:
        response = client.get(address(name, endpoint))
        assert response.status_code == 302
        assert "/sign-in/" in response["Location"]


def test_reader_sees_controls_inert_with_the_role_they_need(client, endpoint, as_role):
    as_role(Role.READER)
    page = client.get(address("endpoint-detail", endpoint)).content.decode()
    assert "This needs the role Operator." in page
    assert "This needs the role Publisher." in page
    assert address("endpoint-disable", endpoint) not in page


@pytest.mark.parametrize("name", ["disable", "enable", "edit", "set-default", "submit"])
def test_reader_may_do_nothing(client, endpoint, as_role, name):
    as_role(Role.READER)
    response = client.post(address(f"endpoint-{name}", endpoint), {"version": "0"})
    assert response.status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert not Run.objects.exists()


def test_operator_submits_but_does_not_disable(client, endpoint, as_role):
    as_role(Role.OPERATOR)
    assert client.post(address("endpoint-disable", endpoint)).status_code == 403
    response = client.post(
        reverse("endpoints:endpoint-bulk"), {"verb": "disable", "selected": endpoint.uuid}
    )
    assert response.status_code == 403
    assert post_run(client, endpoint).status_code == 302


@pytest.mark.parametrize(
    "route", ["/endpoints/", "/pipelines/published/", "/datasets/", "/datastores/"]
)
def test_a_list_may_be_asked_for_its_head(client, endpoint, as_role, route):
    as_role()
    reply = client.head(route)
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_polled_page_is_not_mistaken_for_its_fragment(client, endpoint, as_role):
    """Going back must not show the fragment that the poll got last at the same address."""
    as_role()
    for where in (
        "/endpoints/",
        "/pipelines/published/",
        *(address(n, endpoint) for n in PAGES[::2]),
    ):
        assert "HX-Request" in client.get(where)["Vary"]


def test_a_disabled_endpoint_says_what_to_do(client, endpoint, as_role):
    endpoint.status = EntityStatus.DISABLED
    endpoint.save()
    for role, way in ((Role.PUBLISHER, "Enable it to let"), (Role.READER, "Ask a Publisher")):
        as_role(role)
        assert way in client.get(endpoint.get_absolute_url()).content.decode()


def test_a_question_leads_back_to_what_it_is_about(client, endpoint, as_role):
    as_role()
    for name, back in (("disable", "endpoint-detail"), ("set-default", "endpoint-versions")):
        page = client.get(address(f"endpoint-{name}", endpoint, "?version=0")).content.decode()
        assert f'<li><a href="{address(back, endpoint)}">train</a></li>' in page


def test_a_long_default_is_cut_beside_its_field_and_whole_in_it(client, workspace, as_role):
    as_role()
    text = {"Name": "text", "Type": "3", "DefaultValue": "y" * 300}
    row = factories.endpoint(workspace, parameters=[text])
    page = client.get(address("endpoint-submit", row)).content.decode()
    assert page.count("y" * 300) == 1


def test_verbs_are_no_links(client, endpoint, as_role):
    as_role()
    assert client.get(address("endpoint-enable", endpoint)).status_code == 405
    assert client.get(reverse("endpoints:endpoint-bulk")).status_code == 405


# --- endpoint page -----------------------------------------------------------------------------------
def test_detail_shows_the_rest_address_and_the_graph(client, endpoint, as_role):
    as_role()
    page = client.get(address("endpoint-detail", endpoint)).content.decode()
    assert f"/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}" in page
    assert 'href="?step=node-one#step"' in page
    assert "pipeline_arg" in page


def test_another_version_is_marked(client, workspace, as_role):
    as_role()
    row = factories.endpoint(workspace, pipelines=[factories.pipeline(workspace) for _ in "ab"])
    page = client.get(address("endpoint-detail", row, "?version=1")).content.decode()
    assert "Viewing v1; callers get v0." in page
    assert client.get(address("endpoint-detail", row, "?version=9")).status_code == 404
    assert client.get(address("endpoint-detail", row, "?version=x")).status_code == 404


def test_many_versions_are_paged_and_the_newest_are_offered(client, workspace, as_role):
    as_role()
    count = definitions.VERSIONS_OFFERED + 5
    row = factories.endpoint(
        workspace, pipelines=[factories.pipeline(workspace) for _ in range(count)]
    )
    newest = list(range(count - 1, 4, -1))
    detail = client.get(address("endpoint-detail", row, "?version=2"))
    assert [version.number for version in detail.context["versions"]] == [*newest, 2]
    form = client.get(address("endpoint-submit", row)).context
    assert [version.number for version in form["versions"]] == [*newest, 0]  # 0 is the default
    page = client.get(address("endpoint-versions", row)).context
    assert [shown["version"].number for shown in page["rows"]] == newest
    older = client.get(address("endpoint-versions", row, f"?before={page['page'].older}")).context
    assert [shown["version"].number for shown in older["rows"]] == [4, 3, 2, 1, 0]
    assert [tab["count"] for tab in page["tabs"] if tab["count"]] == [count]


def test_pages_of_an_endpoint_without_versions_work(client, workspace, endpoint, as_role):
    as_role()
    endpoint.default_version = None
    endpoint.save()
    EndpointVersion.objects.all().delete()
    for name in PAGES:
        assert client.get(address(name, endpoint)).status_code == 200
    assert client.get(address("endpoint-submit", endpoint)).status_code == 409


def test_disabling_asks_and_enabling_does_not(client, endpoint, as_role):
    as_role(Role.PUBLISHER)
    post_run(client, endpoint)
    question = client.get(address("endpoint-disable", endpoint)).content.decode()
    assert "1 run is in progress and will finish." in question
    client.post(address("endpoint-disable", endpoint))
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert AuditEvent.objects.filter(verb="disable", object_uuid=endpoint.uuid).exists()
    client.post(address("endpoint-enable", endpoint))
    endpoint.refresh_from_db()
    assert endpoint.is_active


def test_default_is_changed_after_showing_what_differs(client, workspace, as_role):
    as_role(Role.PUBLISHER)
    extra = {"Name": "extra", "Type": "3", "DefaultValue": "x"}
    changed = {**INT, "DefaultValue": "20"}
    row = factories.endpoint(
        workspace,
        pipelines=[
            factories.pipeline(workspace, parameters=[INT]),
            factories.pipeline(workspace, parameters=[changed, extra]),
        ],
    )
    question = client.get(address("endpoint-set-default", row, "?version=1")).content.decode()
    assert "pipeline_arg: default 10 becomes 20." in question
    assert "extra is added (string, default x)." in question
    client.post(address("endpoint-set-default", row), {"version": "1"})
    row.refresh_from_db()
    assert row.default_version.number == 1
    assert client.post(address("endpoint-set-default", row), {"version": "7"}).status_code == 404


def test_disabled_version_cannot_become_the_default(client, workspace, as_role):
    as_role(Role.PUBLISHER)
    both = [factories.pipeline(workspace) for _ in "ab"]
    row = factories.endpoint(workspace, pipelines=both)
    client.post(address("pipeline-disable", both[1]))
    response = client.post(address("endpoint-set-default", row), {"version": "1"})
    assert response.status_code == 409
    assert "is disabled" in response.content.decode()


def test_differences_name_what_is_removed_and_retyped():
    before = read_interface(
        {"Parameters": [INT, {"Name": "gone", "Type": "3", "DefaultValue": ""}]}
    )
    after = read_interface({"Parameters": [{**INT, "Type": "3"}]})
    told = " ".join(versions.differences(before, after))
    assert "gone is removed" in told
    assert "type int becomes string" in told
    assert "are the same" in versions.differences(before, before)[0]


def test_edit_is_audited_and_refuses_a_nameless_tag(client, endpoint, as_role):
    as_role(Role.PUBLISHER)
    where = address("endpoint-edit", endpoint)
    wrong = client.post(where, {"description": "d", "tags": "= x"})
    assert wrong.status_code == 200
    assert "A tag needs a name" in wrong.content.decode()
    client.post(where, {"description": "d", "tags": "team = growth\nalone", "is_strict": "on"})
    endpoint.refresh_from_db()
    assert endpoint.tags == {"team": "growth", "alone": ""}
    assert endpoint.is_strict
    assert not endpoint.is_public
    assert AuditEvent.objects.filter(verb="edit", object_uuid=endpoint.uuid).exists()
    assert "team = growth\nalone" in client.get(where).content.decode()


def test_bulk_asks_then_disables_what_is_active(client, workspace, endpoint, as_role):
    as_role(Role.PUBLISHER)
    single = factories.pipeline(workspace, "alone")
    foreign = factories.endpoint(factories.workspace())
    chosen = {
        "verb": "disable",
        "selected": [endpoint.uuid, single.uuid, foreign.uuid, "nonsense"],
    }
    question = client.post(reverse("endpoints:endpoint-bulk"), chosen)
    assert "Disable 2 of these?" in question.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.is_active
    client.post(reverse("endpoints:endpoint-bulk"), {**chosen, "confirmed": "1"})
    for row in (endpoint, single, foreign):
        row.refresh_from_db()
    assert [row.is_active for row in (endpoint, single, foreign)] == [False, False, True]
    back = client.post(
        reverse("endpoints:endpoint-bulk") + "?list=published&q=a", {**chosen, "verb": "enable"}
    )
    assert back["Location"] == reverse("endpoints:pipeline-list") + "?q=a"
    single.refresh_from_db()
    assert single.is_active


def test_bulk_of_nothing_changes_nothing(client, endpoint, as_role):
    as_role()
    response = client.post(reverse("endpoints:endpoint-bulk"), {"verb": "disable"}, follow=True)
    assert "Nothing to change" in response.content.decode()


def test_disabling_a_default_offers_another(client, endpoint, as_role):
    as_role(Role.PUBLISHER)
    pipeline = endpoint.default_version.pipeline
    question = client.get(address("pipeline-disable", pipeline)).content.decode()
    assert "It is the default of train" in question
    page = client.post(address("pipeline-disable", pipeline), follow=True).content.decode()
    assert "Choose another default" in page
    assert "callers are refused" in client.get(endpoint.get_absolute_url()).content.decode()


def test_pipeline_page_shows_its_own_id_and_address(client, endpoint, as_role):
    as_role()
    pipeline = endpoint.default_version.pipeline
    page = client.get(address("pipeline-detail", pipeline)).content.decode()
    assert str(pipeline.uuid) in page
    assert f"/PipelineRuns/PipelineSubmit/{pipeline.uuid}" in page
    assert "as v0" in page


def test_runs_tab_lists_the_runs_of_its_object_only(client, workspace, endpoint, as_role):
    as_role()
    other = factories.endpoint(workspace)
    post_run(client, endpoint, display_name="mine", key="a")
    post_run(client, other, display_name="theirs", key="b")
    client.get("/endpoints/")  # shows the messages
    page = client.get(address("endpoint-runs", endpoint)).content.decode()
    assert "mine" in page
    assert "theirs" not in page
    pipeline = endpoint.default_version.pipeline
    assert "mine" in client.get(address("pipeline-runs", pipeline)).content.decode()


# --- consume -----------------------------------------------------------------------------------------
def call_of(*parameters):
    named = {parameter.name: parameter for parameter in parameters}
    return consume.Call("https://h/x", "it's", named, consume.endpoint_lookup("it's"))


def test_snippets_hold_the_real_names_and_no_secret():
    call = call_of(
        Parameter("arg", Kind.INT, "10"),
        Parameter("password", Kind.STRING, "hidden", secret=True),
        Parameter("ds", Kind.DATASET, {"SavedDataSetReference": {"Id": "abc"}}),
        Parameter("place", Kind.DATAPATH, {"DataStoreName": "s", "RelativePath": "p"}),
    )
    for snippet in consume.snippets(call):
        assert "arg" in snippet["code"]
        assert "hidden" not in snippet["code"]
    assert call.body["DataPathAssignments"] == {
        "place": {"DataStoreName": "s", "RelativePath": "p"}
    }


def test_the_python_snippet_is_python_and_sends_the_body():
    call = call_of(Parameter("q", Kind.STRING, 'a "b"\n\\ 한'), Parameter("n", Kind.FLOAT, "1.5"))
    code = {snippet["label"]: snippet["code"] for snippet in consume.snippets(call)}
    names = {}
    body = code["Python (requests)"].split("body = ")[1].split("\nanswer")[0]
    exec(f"body = {body}", names)  # noqa: S102 - our own text
    assert names["body"] == call.body
    compile(code["Python (SDK v1)"], "sdk", "exec")
    java = code["Java"].splitlines()[0].removeprefix("String body = ").removesuffix(";")
    assert json.loads(json.loads(java)) == call.body


def test_consume_page_offers_a_token_for_this_endpoint(client, endpoint, as_role):
    as_role()
    page = client.get(address("endpoint-consume", endpoint)).content.decode()
    assert f"?endpoint={endpoint.uuid}" in page
    assert "pipeline_arg" in page


# --- submit ------------------------------------------------------------------------------------------
def test_submit_makes_a_run_and_leads_to_it(client, endpoint, as_role):
    as_role(Role.OPERATOR)
    response = post_run(
        client, endpoint, param_pipeline_arg="20", tags="team = growth", display_name="mine"
    )
    run = Run.objects.pipeline_runs().get()
    assert response["Location"] == run.get_absolute_url()
    assert run.pipeline_run.parameters == {"pipeline_arg": "20"}
    assert run.pipeline_run.source == "Studio"
    assert run.tags == {"team": "growth"}
    assert run.experiment.name == "first"
    said = [str(message) for message in client.get("/endpoints/").context["messages"]]
    assert f'href="{run.get_absolute_url()}"' in said[0]


def test_what_is_left_alone_keeps_its_default(client, endpoint, as_role):
    as_role()
    post_run(client, endpoint, param_pipeline_arg="10")
    assert Run.objects.pipeline_runs().get().pipeline_run.provenance == {"pipeline_arg": "Default"}


def test_the_same_form_twice_makes_one_run(client, endpoint, as_role):
    as_role()
    first, second = (post_run(client, endpoint, param_pipeline_arg="1") for _ in "ab")
    assert first["Location"] == second["Location"]
    assert Run.objects.pipeline_runs().count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"param_pipeline_arg": "many"}, "cannot be read as int"),
        ({"param_pipeline_arg": ""}, "A value is required"),
        ({"param_pipeline_arg": "1.5"}, "cannot be read as int"),
        ({"new_experiment": ""}, "The name of an experiment is required"),
        ({"new_experiment": "a/b"}, "no slashes"),
        ({"experiment_choice": "existing", "experiment": "no"}, "valid choice"),
        ({"timeout_seconds": "-1"}, "greater than or equal to 1"),
        ({"tags": "= x"}, "A tag needs a name"),
    ],
)
def test_errors_stand_beside_their_field_and_in_the_summary(
    client, endpoint, as_role, fields, sentence
):
    as_role()
    field = list(fields)[-1]
    response = post_run(client, endpoint, **fields)
    assert response.status_code == 200
    assert sentence in " ".join(response.context["form"].errors[field])
    page = response.content.decode()
    assert f'href="#id_{field}"' in page
    assert page.count(sentence) == 2
    assert not Run.objects.exists()


def test_all_that_is_wrong_is_said_at_once(client, endpoint, as_role):
    as_role()
    response = post_run(client, endpoint, new_experiment="a/b", param_pipeline_arg="many")
    assert set(response.context["form"].errors) == {"new_experiment", "param_pipeline_arg"}


def test_disabled_meanwhile_keeps_the_form_with_the_reason(client, endpoint, as_role):
    as_role()
    endpoint.status = EntityStatus.DISABLED
    endpoint.save()
    assert "is disabled" in client.get(address("endpoint-submit", endpoint)).content.decode()
    response = post_run(client, endpoint, param_pipeline_arg="33")
    assert response.status_code == 409
    page = response.content.decode()
    assert "Pipeline endpoint train is disabled." in page
    assert 'value="33"' in page


def test_another_version_is_submitted_by_number(client, workspace, as_role):
    as_role()
    row = factories.endpoint(workspace, pipelines=[factories.pipeline(workspace) for _ in "ab"])
    post_run(client, row, version="1")
    assert Run.objects.pipeline_runs().get().endpoint_version == 1
    assert post_run(client, row, version="5", key="k2").status_code == 404


def test_existing_experiment_is_chosen_by_name(client, workspace, endpoint, as_role):
    as_role()
    Experiment.objects.create(workspace=workspace, name="churn")
    post_run(client, endpoint, experiment_choice="existing", experiment="churn")
    assert Run.objects.pipeline_runs().get().experiment.name == "churn"


def test_published_pipeline_is_submitted_by_itself(client, workspace, as_role):
    as_role()
    pipeline = factories.pipeline(workspace)
    post_run(client, pipeline, door="pipeline-submit")
    run = Run.objects.pipeline_runs().get()
    assert (run.pipeline, run.endpoint) == (pipeline, None)


SECRET = {"Name": "password", "Type": "3", "Declared": True, "IsOptional": False, "Secret": True}


def test_secrets_are_asked_for_and_never_shown(client, workspace, as_role):
    as_role()
    row = factories.endpoint(workspace, parameters=[SECRET])
    asked = client.get(address("endpoint-submit", row)).content.decode()
    assert 'type="password"' in asked
    assert '>password <span class="required" aria-hidden="true">*</span>' in asked
    empty = post_run(client, row)
    assert empty.context["form"].errors["param_password"] == ["This secret is required."]
    wrong = post_run(client, row, param_password="tell-nobody", new_experiment="")
    assert "tell-nobody" not in wrong.content.decode()
    post_run(client, row, param_password="tell-nobody")
    run = Run.objects.pipeline_runs().get()
    assert "tell-nobody" not in json.dumps(run.pipeline_run.parameters)


@pytest.fixture
def data_endpoint(workspace):
    return factories.endpoint(
        workspace,
        DataPathParameterList=[{"Name": "ds"}],
        DataPathParameters=[
            {
                "Name": "place",
                "DefaultValue": {"DataStoreName": "workspaceblobstore", "RelativePath": "in"},
            }
        ],
    )


def test_datasets_and_data_paths_are_chosen(client, actor, as_role, data_endpoint):
    dataset = register_dataset(
        actor,
        name="titanic",
        dataset_type="file",
        dataflow=json.dumps(
            {"blocks": [], "meta": {"RsDataflow": "paths: [{file: https://data.example/a.csv}]"}}
        ),
    )
    as_role()
    missing = post_run(client, data_endpoint, datastore_place="workspaceblobstore")
    assert missing.context["form"].errors["param_ds"] == ["Choose a dataset."]
    post_run(
        client,
        data_endpoint,
        param_ds="titanic:1",
        datastore_place="workspaceblobstore",
        param_place="other",
    )
    run = Run.objects.pipeline_runs().get().pipeline_run
    assert run.datasets == {"ds": {"DataSetReference": {"Name": "titanic", "Version": "1"}}}
    assert run.datapaths["place"]["RelativePath"] == "other"
    saved = DatasetVersion.objects.get(pk=dataset.pk).saved
    post_run(
        client,
        data_endpoint,
        key="k2",
        saved_ds=saved.uuid,
        datastore_place="workspaceblobstore",
        param_place="in",
    )
    run = Run.objects.pipeline_runs().order_by("-pk").first().pipeline_run
    assert run.datasets == {"ds": {"SavedDataSetReference": {"Id": str(saved.uuid)}}}
    assert run.provenance["place"] == "Default"


def test_the_newest_versions_of_each_dataset_are_offered(client, actor, as_role, data_endpoint):
    more = {"dataset_type": "file", "create_new_version": True}
    for name, count in (("long", VERSIONS_OFFERED + 5), ("short", 1)):
        for number in range(count):
            paths = f"paths: [{{file: https://data.example/{name}{number}.csv}}]"
            flow = json.dumps({"blocks": [], "meta": {"RsDataflow": paths}})
            register_dataset(actor, name=name, dataflow=flow, **more)
    as_role()
    address = reverse("runs:endpoint-submit", args=[data_endpoint.uuid])
    form = client.get(address).context["form"]
    offered = [value for value, _ in form.fields["param_ds"].choices]
    assert offered[:3] == ["", "long:latest", f"long:{VERSIONS_OFFERED + 5}"]
    assert offered[-3:] == ["long:6", "short:latest", "short:1"]


def test_a_path_without_a_datastore_is_refused(client, as_role, data_endpoint):
    as_role()
    response = post_run(client, data_endpoint, param_place="x", datastore_place="")
    assert "Choose the datastore" in " ".join(response.context["form"].errors["param_place"])


@pytest.mark.parametrize("name", ["disable", "edit", "submit", "set-default"])
def test_a_page_with_a_form_answers_head_and_changes_nothing(client, actor, workspace, name):
    endpoint = factories.endpoint(workspace, "daily")
    client.force_login(actor.user)
    assert client.head(address(f"endpoint-{name}", endpoint, "?version=0")).status_code == 200
    endpoint.refresh_from_db()
    assert endpoint.status == EntityStatus.ACTIVE
