"""Plain references into datastores, as the SDK posts them for `DataReference` inputs (wire.md 8.7)."""

import pytest

from endpoints.models import DataSource
from studio.core.models import Role

pytestmark = pytest.mark.django_db
BODY = {
    "Name": "plain",
    "DataTypeId": "AzureBlobReference",
    "DataStoreName": "workspaceblobstore",
    "PathOnDataStore": "in/first",
    "IdentifierHash": "abc_def",
}


def test_posted_and_found_again(api):
    assert api.get(f"{api.P}/DataSources/Hash/abc_def").status == 404
    made = api.post(f"{api.P}/DataSources", BODY).body
    assert (made["Name"], made["DataTypeId"]) == ("plain", "AzureBlobReference")
    reference = made["DataLocation"]["DataReference"]["AzureBlobReference"]
    assert reference == {"RelativePath": "in/first", "AmlDataStoreName": "workspaceblobstore"}
    assert api.get(f"{api.P}/DataSources/{made['Id']}").body == made
    assert api.get(f"{api.P}/DataSources/Hash/abc_def").body == made
    assert api.post(f"{api.P}/DataSources", BODY).body["Id"] == made["Id"]


@pytest.mark.parametrize(
    "change",
    [
        {"DataStoreName": "none"},
        {"DataStoreName": None},
        {"PathOnDataStore": "../elsewhere"},
        {"PathOnDataStore": 7.5e300},
        {"SqlQuery": "select 1"},
        {"Name": ["x"]},
        {"IdentifierHash": "x" * 201},
    ],
)
def test_what_cannot_be(api, change):
    if change == {"PathOnDataStore": 7.5e300}:
        assert (
            api.post(f"{api.P}/DataSources", BODY | change).status == 200
        )  # a bare number is text
        return
    assert api.post(f"{api.P}/DataSources", BODY | change).status == 400
    assert not DataSource.objects.exists()


def test_readers_make_none_and_others_see_none(api, api_as, elsewhere):
    assert api_as(Role.READER).post(f"{api.P}/DataSources", BODY).status == 403
    made = api.post(f"{api.P}/DataSources", BODY).body
    assert elsewhere.get(f"{api.P}/DataSources/{made['Id']}").status == 404
