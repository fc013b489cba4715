"""Tags and filters that print states, times, durations and ids the same way everywhere. None of
them queries the database."""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from django import template
from django.template.defaulttags import querystring
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext, pgettext_lazy

from studio.core.access import NEEDS
from studio.core.db.keyset import SIZES
from studio.core.ui.drawing import drawing

register = template.Library()

EMPTY = "--"


# --- states ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class State:
    """The look of a state: a tone (colour pair of the style sheet), an icon and a word."""

    tone: str
    icon: str
    label: str | Promise


_COMPLETED = State("ok", "state-completed", gettext_lazy("Completed"))
STATES = {
    "NotStarted": State("idle", "state-not-started", gettext_lazy("Not started")),
    "Queued": State("wait", "state-queued", gettext_lazy("Queued")),
    "Preparing": State("run", "state-preparing", gettext_lazy("Preparing")),
    "Running": State("run", "state-running", gettext_lazy("Running")),
    "Finalizing": State("run", "state-finalizing", gettext_lazy("Finalizing")),
    "Completed": _COMPLETED,
    "Finished": _COMPLETED,  # the pipelines service's word for Completed
    "Failed": State("bad", "state-failed", gettext_lazy("Failed")),
    "CancelRequested": State("warn", "state-cancel-requested", gettext_lazy("Cancel requested")),
    "Canceled": State("idle", "state-canceled", gettext_lazy("Canceled")),
    "NotResponding": State("warn", "state-not-responding", gettext_lazy("Not responding")),
    "Reused": State("ok", "state-reused", gettext_lazy("Reused")),
    "Skipped": State("idle", "state-skipped", gettext_lazy("Skipped")),
    # States of endpoints, published pipelines, tokens and workers.
    "Active": State("ok", "state-completed", pgettext_lazy("endpoint", "Active")),
    "Disabled": State("idle", "disable", pgettext_lazy("endpoint", "Disabled")),
    "Expired": State("warn", "state-queued", pgettext_lazy("token", "Expired")),
    "Revoked": State("idle", "disable", pgettext_lazy("token", "Revoked")),
    "Online": State("ok", "state-completed", pgettext_lazy("worker", "Online")),
    "Stopping": State("warn", "state-cancel-requested", pgettext_lazy("worker", "Stopping")),
    "Offline": State("idle", "state-canceled", pgettext_lazy("worker", "Offline")),
}


def state_of(status, reused=False) -> State | None:
    """The look of a status; an unknown word is shown as it is."""
    if not status:
        return None
    if reused and status == "Completed":
        return STATES["Reused"]
    return STATES.get(str(status)) or State("idle", "state-not-started", str(status))


@register.inclusion_tag("components/status.html")
def status(value, reused=False, url="", compact=False):
    return {"state": state_of(value, reused), "url": url, "compact": compact}


@register.filter
def state(value, reused=False):
    """The State itself, for components that draw it differently (graph, spark line)."""
    return state_of(value, reused)


@register.inclusion_tag("components/icon.html")
def icon(name):
    return {"name": name}


# --- times -----------------------------------------------------------------------------------------
@register.filter
def duration(value) -> str:
    """`9m 43s`, `2s`, `4.270s`: seconds or a timedelta in words."""
    if value is None or value == "":
        return EMPTY
    seconds = value.total_seconds() if isinstance(value, dt.timedelta) else float(value)
    milliseconds = max(0, int(seconds * 1000 + 1e-6))  # clocks of two machines may differ
    whole, rest = divmod(milliseconds, 1000)
    if whole < 10 and rest:
        return f"{whole}.{rest:03d}s"
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02d}h {minutes:02d}m"
    if hours:
        return f"{hours}h {minutes:02d}m {whole:02d}s"
    return f"{minutes}m {whole:02d}s" if minutes else f"{whole}s"


@register.filter("ago")
def relative(value) -> str:
    """`3 min ago`; empty for the future and for more than a month ago."""
    if not value:
        return ""
    seconds = (timezone.now() - value).total_seconds()
    if seconds < -60 or seconds >= 30 * 86400:
        return ""
    if seconds < 60:
        return gettext("just now")
    if seconds < 3600:
        return gettext("%(number)d min ago") % {"number": seconds // 60}
    if seconds < 86400:
        return gettext("%(number)d hr ago") % {"number": seconds // 3600}
    days = int(seconds // 86400)
    return ngettext("%(number)d day ago", "%(number)d days ago", days) % {"number": days}


def iso(value) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(value, seconds=False) -> str:
    """`Nov 19, 2026 18:41` in the current time zone, in the order of the language."""
    pattern = pgettext("date and time format", "M j, Y H:i")
    return date_format(timezone.localtime(value), f"{pattern}:s" if seconds else pattern)


def clock(value) -> str:
    """`18:41:07` in the current time zone, for what changes within a minute."""
    return date_format(timezone.localtime(value), "H:i:s")


@register.inclusion_tag("components/when.html")
def when(value, ago=False, seconds=False):
    if not value:
        return {"value": None}
    return {
        "value": value,
        "iso": iso(value),
        "shown": shown(value, seconds),
        "ago": relative(value) if ago else "",
    }


@register.inclusion_tag("components/elapsed.html")
def elapsed(started, finished=None):
    """How long something took, or has taken so far; a script keeps the latter up to date."""
    if not started:
        return {"text": EMPTY}
    if finished:
        return {"text": duration(finished - started)}
    so_far = dt.timedelta(seconds=int((timezone.now() - started).total_seconds()))
    return {"text": duration(so_far), "since": iso(started)}


# --- text ------------------------------------------------------------------------------------------
@register.filter
def breakable(value) -> SafeString:
    """A generated name as a heading, which a narrow screen may break after underscores."""
    return mark_safe(escape(value).replace("_", "_<wbr>"))  # noqa: S308 - escaped


@register.filter
def dash(value):
    return EMPTY if value is None or value in ("", [], {}) else value


@register.filter
def short_id(value) -> str:
    text = str(value or "")
    if not text:
        return EMPTY
    return text if len(text) <= 16 else f"{text[:8]}…{text[-4:]}"


@register.filter
def fit(value, pixels) -> str:
    """Cut a label to about so many pixels: SVG text has no ellipsis."""
    room = float(pixels) / 7.6
    used = 0.0
    kept: list[str] = []
    text = str(value or "")
    for letter in text:
        used += 1.75 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > room:
            return "".join(kept[:-1]).rstrip() + "…"
        kept.append(letter)
    return text


# --- lists -----------------------------------------------------------------------------------------
@register.simple_block_tag
def table(content, label, kind="", caption="", heard=False):
    """A table that scrolls horizontally by itself; its label is also the caption unless one is
    given."""
    context = {"content": content, "label": label, "kind": kind, "heard": heard}
    return render_to_string("components/table.html", context | {"caption": caption or label})


@register.inclusion_tag("components/column.html")
def column(label, kind="", heard=False):
    return {"label": label, "kind": kind, "heard": heard}


@register.inclusion_tag("components/empty.html")
def nothing(title, text="", icon="", url="", label=""):
    return {"title": title, "text": text, "icon": icon, "url": url, "label": label}


@register.inclusion_tag("components/table_head.html", takes_context=True)
def sort_head(context, key, label, numeric=False, icon="", spare=False):
    current = context.get("sort") or ""
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    wanted = f"-{key}" if direction == "ascending" else key
    return {
        "label": label,
        "icon": icon,
        "spare": spare,
        "numeric": numeric,
        "direction": direction,
        "url": querystring(context, sort=wanted, page=None, before=None, after=None),
    }


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context, page, noun=""):
    """Page numbers for a catalogue (Django's Page), Newer and Older for a history (keyset.Page)."""
    given = context.request.GET
    numbered = hasattr(page, "paginator")

    def to(**keys):
        return querystring(context, **({"page": None, "before": None, "after": None} | keys))

    links: dict[str, str] = {}
    if numbered:
        if page.has_previous():
            links |= {"first": to(page=1), "newer": to(page=page.previous_page_number())}
        if page.has_next():
            links |= {
                "older": to(page=page.next_page_number()),
                "last": to(page=page.paginator.num_pages),
            }
    else:
        if page.newer is not None:
            links |= {"first": to(), "newer": to(after=page.newer)}
        if page.older is not None:
            links |= {"older": to(before=page.older)}
    size = page.paginator.per_page if numbered else page.size
    return {
        "page": page,
        "noun": noun,
        "numbered": numbered,
        "links": links,
        "size": size,
        "sizes": sorted({*SIZES, size}),
        "kept": [
            (name, value)
            for name, values in given.lists()
            if name not in ("page", "size", "before", "after")
            for value in values
        ],
    }


# --- the frame -------------------------------------------------------------------------------------
@register.inclusion_tag("components/nav_item.html", takes_context=True)
def nav_item(context, key, route, label, icon):
    """An item of the navigation; nothing if its route does not exist."""
    try:
        url = reverse(route)
    except NoReverseMatch:
        url = ""
    return {"url": url, "label": label, "icon": icon, "current": context.get("nav") == key}


@register.inclusion_tag("components/graph.html")
def graph(graph, poll_url="", tall=False):
    return {"graph": graph, "poll_url": poll_url, "tall": tall}


@register.inclusion_tag("components/graph.svg")
def graph_drawing(graph, poll_url=""):
    return {"graph": drawing(graph), "poll_url": poll_url}


# --- forms -----------------------------------------------------------------------------------------
@register.inclusion_tag("components/field.html")
def field(field, note=""):
    return {"field": field, "note": note}


@register.inclusion_tag("components/actions.html")
def actions(submit, back):
    """The end of a form: its submit button, and Cancel, which leads to `back`."""
    return {"submit": submit, "back": back}


@register.inclusion_tag("components/plain_form.html", takes_context=True)
def plain_form(context, form, action, submit, back, text=""):
    """A card with a form of nothing but its fields; without `action` it posts to its own page."""
    return {
        "form": form, "action": action, "submit": submit, "back": back, "text": text,
        "csrf_token": context.get("csrf_token"),
    }  # fmt: skip


# --- things to do ----------------------------------------------------------------------------------
@register.filter
def may(actor, verb) -> bool:
    """Whether to offer a control; the service behind it checks again."""
    return bool(actor) and actor.may(verb)


@register.inclusion_tag("components/command.html", takes_context=True)
def command(
    context, label, icon, *, url="", action="", form="", name="", value="", kind="", needs="",
    disabled="", selection=False, dialog="", short=False, about="", key="",
):  # fmt: skip
    """A button or link of a command bar; disabled and explained for those who may not use it."""
    actor = getattr(context.request, "actor", None)
    if needs and not disabled and not may(actor, needs):
        disabled = gettext("This needs the role %(role)s.") % {"role": NEEDS[needs].label}
    return {
        "label": label, "icon": icon, "url": url, "action": action, "form": form, "name": name,
        "value": value, "kind": kind, "disabled": disabled, "selection": selection,
        "dialog": dialog, "short": short, "about": about, "key": key, "csrf_token": context.get("csrf_token"),
    }  # fmt: skip


@register.inclusion_tag("components/confirm.html", takes_context=True)
def confirm(
    context, title, action, submit, *, text="", consequences=(), cancel_url="", danger=False,
    hidden=(), form=None, dialog_id="",
):  # fmt: skip
    """The question before a command that cannot simply be undone, in a page or in a dialog."""
    return {
        "title": title, "action": action, "submit": submit, "text": text,
        "consequences": consequences, "cancel_url": cancel_url, "danger": danger,
        "hidden": hidden, "form": form, "dialog_id": dialog_id,
        "csrf_token": context.get("csrf_token"),
    }  # fmt: skip
