"""Seek paging: every row once, in both directions, with no count."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studio.core.db.keyset import paginate
from studio.core.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(workspace):
    return [
        AuditEvent.objects.create(workspace=workspace, actor="a", verb="v", kind="k").pk
        for _ in range(11)
    ]


def test_walking_older_sees_every_row_once_and_newer_comes_back(rows):
    events = AuditEvent.objects.all()
    page, seen, pages = paginate(events, size=5), [], []
    while True:
        pages.append([row.pk for row in page])
        seen += pages[-1]
        if page.older is None:
            break
        page = paginate(events, before=page.older, size=5)
    assert seen == rows[::-1]
    back = paginate(events, after=page.newer, size=5)
    assert [row.pk for row in back] == pages[1]


def test_the_newest_page_offers_nothing_newer(rows):
    page = paginate(AuditEvent.objects.all(), size=20)
    assert (page.newer, page.older) == (None, None)
    assert len(page) == 11


def test_an_empty_history_is_an_empty_page(db):
    page = paginate(AuditEvent.objects.all(), after=10)
    assert (list(page), page.newer, page.older) == ([], None, None)


def test_a_page_costs_one_query_wherever_it_is(rows):
    for where in ({}, {"before": rows[6]}, {"after": rows[2]}):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            paginate(AuditEvent.objects.all(), size=3, **where)
        assert len(queries) == 1
        assert "COUNT" not in queries[0]["sql"]
