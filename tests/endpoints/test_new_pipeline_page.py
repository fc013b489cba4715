"""New pipeline: a zip in, a published pipeline out, or the reasons beside the fields."""

import io
import zipfile
from uuid import uuid4

import pytest

from endpoints.models import PipelineEndpoint, PublishedPipeline
from endpoints.views.authoring import EXAMPLE
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/pipelines/new/"


@pytest.fixture(autouse=True)
def storage(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"


@pytest.fixture
def as_role(client, workspace):
    def sign_in(role=Role.ADMIN):
        client.force_login(factories.actor(workspace, role).user)
        return client

    return sign_in


def packed(text=EXAMPLE, name="pipeline.yml"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, text)
        archive.writestr("greet.py", "print(1)")
    stream.seek(0)
    stream.name = "source.zip"
    return stream


def post(client, **fields):
    return client.post(URL, {"archive": packed(), **fields})


def test_the_example_on_the_page_can_be_published(as_role):
    reply = post(as_role(Role.PUBLISHER), endpoint="greetings")
    made = PublishedPipeline.objects.get()
    assert reply.headers["Location"] == made.get_absolute_url()
    assert made.name == "hello"
    assert PipelineEndpoint.objects.get().default_version.pipeline == made


def test_what_is_wrong_names_the_file_and_the_line(as_role):
    reply = post(as_role(), archive=packed(EXAMPLE.replace("PythonScriptStep", "NoSuchStep")))
    told = " ".join(reply.context["form"].errors["archive"])
    assert "pipeline.yml:8: pipeline.steps.greet.type" in told
    assert not PublishedPipeline.objects.exists()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"archive": ""}, "archive"),
        ({"archive": io.BytesIO(b"no zip")}, "archive"),
        ({"archive": packed(name="../pipeline.yml")}, "archive"),
        ({"endpoint_uuid": str(uuid4())}, "endpoint"),
        ({"uuid": "x"}, "uuid"),
        ({"endpoint": "a/b"}, "endpoint"),
        ({"name": "n" * 256}, "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_stand_beside_their_field_and_nothing_is_made(as_role, fields, wrong):
    reply = post(as_role(), **fields)
    assert reply.status_code == 200
    assert reply.context["form"].errors.keys() == {wrong}
    assert not PublishedPipeline.objects.exists()


def test_an_admin_gives_old_identities_and_a_taken_one_is_refused(as_role):
    ids = {"uuid": str(uuid4()), "endpoint_uuid": str(uuid4())}
    client = as_role()
    assert post(client, endpoint="old", **ids).status_code == 302
    assert str(PublishedPipeline.objects.get().uuid) == ids["uuid"]
    assert str(PipelineEndpoint.objects.get().uuid) == ids["endpoint_uuid"]
    again = post(client, endpoint="other", **ids)
    assert "taken" in again.content.decode()
    assert PublishedPipeline.objects.count() == 1


def test_a_publisher_sees_old_identities_closed(as_role):
    client = as_role(Role.PUBLISHER)
    assert "This needs the role Admin." in client.get(URL).content.decode()
    wanted = uuid4()
    assert post(client, uuid=str(wanted)).status_code == 302
    assert PublishedPipeline.objects.get().uuid != wanted


def test_an_operator_may_not_publish(as_role):
    client = as_role(Role.OPERATOR)
    assert client.get(URL).status_code == 403
    assert post(client).status_code == 403
