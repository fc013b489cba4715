"""What templates print: states, times, ids, and the components that carry a rule of their own."""

import datetime as dt
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.paginator import Paginator
from django.template import RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from runs.states import Status
from studio.core.access import Actor
from studio.core.db.keyset import Page
from studio.core.models import Role, Workspace
from studio.core.ui.templatetags import studio as tags

NOON = dt.datetime(2026, 11, 19, 18, 41, 5, tzinfo=dt.UTC)


def render(source, *, path="/", role=None, **context):
    request = RequestFactory().get(path)
    request.actor = role and Actor(workspace=Workspace(name="studio"), role=role, name="jlee")
    return Template(source).render(RequestContext(request, context))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (2, "2s"),
        (4.27, "4.270s"),
        (0.0004, "0s"),
        (9.9999, "9.999s"),
        (10.5, "10s"),
        (59.9, "59s"),
        (62, "1m 02s"),
        (583, "9m 43s"),
        (3266, "54m 26s"),
        (3909, "1h 05m 09s"),
        (183_845, "2d 03h 04m"),
        (-3, "0s"),
        (dt.timedelta(seconds=130), "2m 10s"),
        (None, "--"),
        ("", "--"),
    ],
)
def test_duration_speaks_the_words_of_the_studio(seconds, text):
    assert tags.duration(seconds) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (dt.timedelta(seconds=-30), "just now"),
        (dt.timedelta(seconds=59), "just now"),
        (dt.timedelta(minutes=3), "3 min ago"),
        (dt.timedelta(hours=23), "23 hr ago"),
        (dt.timedelta(days=1), "1 day ago"),
        (dt.timedelta(days=12), "12 days ago"),
        (dt.timedelta(days=31), ""),
        (dt.timedelta(hours=-2), ""),
    ],
)
def test_ago_is_for_the_last_month(age, text):
    with time_machine.travel(NOON, tick=False):
        assert tags.relative(NOON - age) == text


def test_when_prints_the_viewers_zone_and_carries_utc():
    with timezone.override(ZoneInfo("Asia/Seoul")), translation.override("en"):
        html = render("{% when at %}", at=NOON)
    assert '<time class="num" datetime="2026-11-19T18:41:05Z" title="2026-11-19T18:41:05Z">' in html
    assert ">Nov 20, 2026 03:41</time>" in html


def test_when_puts_the_age_beside_never_instead():
    with time_machine.travel(NOON + dt.timedelta(minutes=3), tick=False):
        html = render("{% when at ago=True %}", at=NOON)
    assert "Nov 19, 2026 18:41" in html
    assert "3 min ago" in html


def test_what_is_missing_is_two_dashes():
    assert render("{% when at %}", at=None) == "--"
    assert render("{% status x %}", x=None) == "--"
    assert render("{{ a|dash }} {{ b|dash }} {{ c|dash }}", a=None, b="", c=0) == "-- -- 0"
    assert tags.short_id(None) == "--"
    assert "--" in render("{% elapsed None %}")


def test_elapsed_ticks_only_while_it_runs():
    with time_machine.travel(NOON, tick=False):
        live = render("{% elapsed at %}", at=NOON - dt.timedelta(seconds=62))
        over = render("{% elapsed at end %}", at=NOON - dt.timedelta(seconds=62), end=NOON)
    assert 'data-since="2026-11-19T18:40:03Z"' in live
    assert "1m 02s" in live
    assert "data-since" not in over


def test_ids_keep_their_ends():
    assert tags.short_id("068f4885-7088-4a11-9c11-8ce2eeb90000") == "068f4885…0000"
    assert tags.short_id("short") == "short"


def test_fit_counts_wide_letters_double():
    assert tags.fit("prepare", 190) == "prepare"
    cut = tags.fit("compare the results of both", 100)
    assert cut.endswith("…")
    assert len(cut) < 15
    assert len(tags.fit("비교하는 단계의 아주 긴 이름", 100)) < len(cut)


@pytest.mark.parametrize("status", Status)
def test_every_status_of_a_run_has_a_look_and_the_same_word(status):
    look = tags.STATES[status.value]
    assert str(look.label) == str(status.label)
    assert str(look.label) in render("{% status x %}", x=status)


def test_finished_reads_completed_and_an_unknown_word_reads_itself():
    assert "Completed" in render('{% status "Finished" %}')
    assert "Bypassed" in render('{% status "Bypassed" %}')


def test_a_reused_step_says_so_and_leads_to_its_source():
    html = render('{% status "Completed" reused=True url="/runs/1/" %}')
    assert "Reused" in html
    assert 'href="/runs/1/"' in html
    assert "Reused" not in render('{% status "Failed" reused=True %}')


def test_a_compact_status_is_still_heard():
    assert '<span class="heard">Running</span>' in render('{% status "Running" compact=True %}')


def test_sorting_turns_round_and_keeps_the_other_filters():
    head = '{% sort_head "name" "Name" %}'
    fresh = render(head, path="/?q=churn&page=3")
    assert "aria-sort" not in fresh
    assert 'href="?q=churn&amp;sort=name"' in fresh
    ascending = render(head, path="/?sort=name", sort="name")
    assert 'aria-sort="ascending"' in ascending
    assert "?sort=-name" in ascending
    assert 'aria-sort="descending"' in render(head, sort="-name")


def test_a_catalogue_has_counts_and_page_numbers():
    page = Paginator(range(30), 10).get_page(2)
    html = render('{% pager page "pipelines" %}', path="/?q=a&page=2&size=10", page=page)
    assert "Showing 11-20 of 30 pipelines" in html
    assert 'href="?q=a&amp;page=3&amp;size=10"' in html.replace(
        "size=10&amp;page=3", "page=3&amp;size=10"
    )
    assert '<input type="hidden" name="q" value="a">' in html


def test_a_history_has_newer_and_older_and_no_total():
    page = Page(items=list(range(50)), older=101, newer=None, size=50)
    html = render('{% pager page "runs" %}', path="/?status=Failed", page=page)
    assert "Newest runs: 50" in html
    assert 'href="?status=Failed&amp;before=101"' in html
    assert 'rel="prev"' not in html
    later = Page(items=[1], older=None, newer=7, size=50)
    html = render('{% pager page "runs" %}', path="/?before=9", page=later)
    assert 'href="?after=7"' in html
    assert 'rel="next"' not in html


def test_a_command_closed_to_a_role_is_shown_with_the_reason():
    source = '{% command "Disable" "disable" action="/x/" needs="disable" %}'
    assert "<form" in render(source, role=Role.PUBLISHER)
    closed = render(source, role=Role.READER)
    assert "<form" not in closed
    assert 'aria-disabled="true"' in closed
    assert "This needs the role Publisher." in closed
    assert "<form" not in render(source)


def test_a_confirmation_carries_its_token_and_lists_what_will_stop():
    html = render(
        '{% confirm "Disable x?" "/x/" "Disable" consequences=c hidden=h dialog_id="d" %}',
        c=["1 run goes on."],
        h=[("selected", "a")],
        csrf_token="t0ken",
    )
    assert "csrfmiddlewaretoken" in html
    assert "<li>1 run goes on.</li>" in html
    assert '<input type="hidden" name="selected" value="a">' in html
    assert '<dialog class="dialog" id="d" aria-labelledby="d-title">' in html


def test_spark_says_its_states_in_words():
    runs = [
        SimpleNamespace(status="Completed", label=""),
        SimpleNamespace(status="Failed", label=""),
    ]
    html = render('{% include "components/spark.html" with runs=runs only %}', runs=runs)
    assert 'aria-label="Last 2 runs: Completed, Failed"' in html


def test_log_lines_escape_and_ask_for_more_until_the_end():
    source = '{% include "components/log_lines.html" with lines=lines next_url=next only %}'
    more = render(source, lines="<script>1</script>\n", next="/log/?from=19")
    assert "&lt;script&gt;" in more
    assert 'hx-get="/log/?from=19"' in more
    assert "hx-get" not in render(source, lines="done\n", next="")
