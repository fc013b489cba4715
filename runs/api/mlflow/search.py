"""MLflow's search language: `metrics.loss < 0.5 and tags.team LIKE 'g%'`, comparisons joined by
`and`, and orders such as `metrics.loss DESC`."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    F,
    FloatField,
    Func,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from runs.api.mlflow.base import moment_of
from runs.api.mlflow.entities import LAST, NOTE, PARENT, RUN_NAME, STATUSES
from runs.models import MetricValue
from runs.services import PARAM
from runs.states import Status
from studio.core.db.lookups import ILike, JsonNumber, JsonText, Like
from studio.core.errors import BadValue
from studio.core.rest.bodies import kind_of
from studio.core.uuids import as_uuids

Term = Func | Subquery  # the value under a key
LONGEST, MOST_CLAUSES, MOST_ORDERS = 6000, 50, 20
TEXT = r"'[^']*'|\"[^\"]*\""
# Possessive: without backtracking over blanks there is only one way to read a text.
CLAUSE = re.compile(
    rf"\s*+(?:(?P<kind>\w+)\.)?(?P<key>[\w./-]+|`[^`]+`|\"[^\"]+\")\s*+"
    rf"(?P<sign>!=|>=|<=|=|>|<|not\s+in\b|in\b|i?like\b|is\s+not\s+null\b|is\s+null\b)\s*+"
    rf"(?P<value>{TEXT}|[-+\w.]+|\(\s*+(?:{TEXT})(?:\s*+,\s*+(?:{TEXT}))*+\s*+\))?"
    rf"\s*+(?:(?P<and>and\b)|$)",
    re.IGNORECASE,
)
ORDER = re.compile(
    r"^\s*(?:(?P<kind>\w+)\.)?(?P<key>[\w./-]+|`[^`]+`|\"[^\"]+\")(?:\s+(?P<way>asc|desc))?\s*$",
    re.IGNORECASE,
)
KINDS = {
    "metrics": ("metric", "metrics"),
    "params": ("param", "params", "parameter", "parameters"),
    "tags": ("tag", "tags"),
    "attributes": ("attribute", "attributes", "attr", "run"),
}
SIGNS = {
    "=": "exact",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
    "like": "like",
    "ilike": "ilike",
}
TEXTUAL = ("like", "ilike")
LOOKUPS = {
    "exact": Exact,
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
    "in": In,
    "isnull": IsNull,
    "like": Like,
    "ilike": ILike,
}


@dataclass(frozen=True)
class Attribute:
    column: str
    is_time: bool = False
    is_id: bool = False
    words: Mapping[str, Sequence[str]] | None = None  # stored values for each of MLflow's words


@dataclass(frozen=True)
class Language:
    """The names that can be used for one kind of row."""

    attributes: Mapping[str, Attribute]
    kept: Mapping[str, Callable[[str], Term]]

    def condition(self, text: str) -> Q:
        if len(text) > LONGEST:
            raise BadValue(f"The filter is longer than {LONGEST} characters.", target="filter")
        condition, at, joined = Q(), 0, False
        for _ in range(MOST_CLAUSES + 1):  # one more than the clauses, for the end
            if not text[at:].strip():
                if joined:
                    raise _unread(text)
                return condition
            clause = CLAUSE.match(text, at)
            if clause is None:
                raise _unread(text[at:])
            condition &= self._clause(clause)
            at, joined = clause.end(), clause["and"] is not None
        raise BadValue(f"The filter has more than {MOST_CLAUSES} comparisons.", target="filter")

    def _clause(self, clause: re.Match) -> Q:
        kind, key = self._named(clause, "filter")
        sign, value = " ".join(clause["sign"].lower().split()), clause["value"]
        if sign.startswith("is ") != (value is None):
            raise _unread(clause[0])
        if kind != "attributes":
            lookup = _expression(self.kept[kind](key))
            return _compared(lookup, sign, _value(value, number=kind == "metrics"))
        attribute = self.attributes[key]
        if attribute.is_time:
            if value is None:
                return _column(attribute.column)("isnull", sign == "is null")
            moment = moment_of(int(_value(value, number=True)), "filter")
            return _compared(_column(attribute.column), sign, moment)
        return _attribute(key, attribute, sign, _value(value, number=False))

    def _named(self, match: re.Match, target: str) -> tuple[str, str]:
        word, key = (match["kind"] or "attributes").lower(), match["key"]
        if key[0] in '`"':
            key = key[1:-1]
        kind = next((kind for kind, words in KINDS.items() if word in words), None)
        if kind is None or (kind != "attributes" and kind not in self.kept):
            raise BadValue(
                f"{target} names {match[0].strip()[:80]!r}: no such kind.", target=target
            )
        if kind == "tags" and key in (RUN_NAME, PARENT, NOTE) and key in self.attributes:
            return "attributes", key
        if kind == "attributes" and key not in self.attributes:
            known = ", ".join(self.attributes)
            raise BadValue(f"{target} names {key[:80]!r}; known are {known}.", target=target)
        return kind, key

    def order(self, orders: list) -> list[OrderBy]:
        """The expressions that `order_by` asks for."""
        if len(orders) > MOST_ORDERS:
            raise BadValue(f"order_by may name at most {MOST_ORDERS}.", target="order_by")
        wanted = []
        for text in orders:
            match = ORDER.match(text) if isinstance(text, str) else None
            if match is None:
                raise BadValue(f"order_by cannot be read: {str(text)[:80]!r}.", target="order_by")
            kind, key = self._named(match, "order_by")
            term = F(self.attributes[key].column) if kind == "attributes" else self.kept[kind](key)
            down = (match["way"] or "asc").lower() == "desc"
            wanted.append(term.desc(nulls_last=True) if down else term.asc(nulls_last=True))
        return wanted


def page(
    rows: QuerySet, condition: Q, order: Sequence[OrderBy], *, after: int | None, size: int
) -> tuple[list, dict]:
    """One page of the `rows` that meet `condition`, and the token of the next page if there is one.

    They come in the requested order; ties are newest first. The page begins after the row with the key
    `after`: conditions on the values of that row replace an offset.
    """
    places = {f"place_{number}": by.expression for number, by in enumerate(order)}
    found = rows.alias(**places).filter(condition)
    if after is not None:
        last = rows.filter(pk=after).values_list("pk", *places.values()).first()
        if last is None:
            raise BadValue("page_token is not of an earlier page.", target="page_token")
        ways = [by.descending for by in order]
        found = found.filter(_later(list(zip(places, ways, last[1:], strict=True)), after))
    taken = list(found.order_by(*order, "-pk")[: size + 1])
    token = {"next_page_token": str(taken[size - 1].pk)} if len(taken) > size else {}
    return taken[:size], token


def _later(places: Sequence[tuple[str, bool, Any]], pk: int) -> Q:
    """The condition that a row comes after one with these values; NULL comes last."""
    if not places:
        return Q(pk__lt=pk)
    (name, is_descending, value), *rest = places
    same = _later(rest, pk)
    if value is None:
        return Q(**{f"{name}__isnull": True}) & same
    later = Q(**{f"{name}__{'lt' if is_descending else 'gt'}": value})
    return later | Q(**{f"{name}__isnull": True}) | (Q(**{name: value}) & same)


def _unread(text: str) -> BadValue:
    return BadValue(f"The filter cannot be read at {text.strip()[:60]!r}.", target="filter")


def _value(text: str | None, *, number: bool):
    if text is None:
        return None
    if text.startswith("("):
        if number:
            raise BadValue("The filter: only texts are compared by IN.", target="filter")
        return [part[1:-1] for part in re.findall(TEXT, text)]
    is_text = text[0] in "'\""
    if number == is_text:
        wanted = "a number" if number else "a text in quotes"
        raise BadValue(f"The filter compares with {wanted}, not {text[:60]}.", target="filter")
    if is_text:
        return text[1:-1]
    try:
        found = float(text)
    except ValueError:
        raise BadValue(f"The filter: {text[:60]} is {kind_of(text)}.", target="filter") from None
    if not math.isfinite(found):
        raise BadValue(f"The filter: {text[:60]} is no finite number.", target="filter")
    return found


def _attribute(name: str, attribute: Attribute, sign: str, value) -> Q:
    if value is None:
        if attribute.is_id or attribute.words is not None:
            return _column(attribute.column)("isnull", sign == "is null")
        nothing = Q(**{attribute.column: ""})  # the value of a text that was never set
        return nothing if sign == "is null" else ~nothing
    if attribute.words is not None:
        value = [word for text in _list(value) for word in attribute.words.get(text.upper(), ())]
        sign = {"=": "in", "!=": "not in"}.get(sign, sign)
    elif attribute.is_id:
        value = as_uuids(_list(value))  # not a UUID, so it matches nothing
        sign = {"=": "in", "!=": "not in"}.get(sign, sign)
    if (attribute.words is not None or attribute.is_id) and sign not in ("in", "not in"):
        raise BadValue(
            f"{name} is compared by =, !=, IN, NOT IN, IS NULL, IS NOT NULL.", target="filter"
        )
    return _compared(_column(attribute.column), sign, value)


def _list(value) -> list[str]:
    return value if isinstance(value, list) else [value or ""]


def _compared(lookup: "Lookup", sign: str, value) -> Q:
    if sign.startswith("is "):
        return lookup("isnull", sign == "is null")
    if isinstance(value, list) != (sign in ("in", "not in")):
        raise BadValue(f"The filter: {sign} does not go with its value.", target="filter")
    if isinstance(value, list):
        return ~lookup("in", value) if sign == "not in" else lookup("in", value)
    if sign == "!=":
        return ~lookup("exact", value) & lookup("isnull", False)
    if sign not in SIGNS or (isinstance(value, str) != (sign in TEXTUAL) and sign != "="):
        raise BadValue(f"The filter: {sign} does not go with its value.", target="filter")
    return lookup(SIGNS[sign], value)


def _column(name: str) -> "Lookup":
    def lookup(word: str, value) -> Q:
        if word in TEXTUAL:
            return Q(LOOKUPS[word](F(name), value))
        return Q(**{f"{name}__{word}": value})

    return lookup


def _expression(term: Term) -> "Lookup":
    return lambda word, value: Q(LOOKUPS[word](term, value))


def _metric(key: str) -> Term:
    """The last value of a metric; no value if it is a text."""
    values = MetricValue.objects.filter(metric__run=OuterRef("pk"), metric__name=key)
    last = values.order_by(*LAST).annotate(number=JsonNumber(key, "data")).values("number")[:1]
    return Subquery(last, output_field=FloatField())


def _param(key: str) -> Term:
    return JsonText(f"{PARAM}{key}", "properties")


def _tag(key: str) -> Term:
    return JsonText(key, "tags")


Lookup = Callable[[str, object], Q]
WORDS = {
    word: [status for status in Status if STATUSES.get(status, "RUNNING") == word]
    for word in ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
}
RUNS = Language(
    {
        "run_id": Attribute("uuid", is_id=True),
        "run_name": Attribute("display_name"),
        RUN_NAME: Attribute("display_name"),
        PARENT: Attribute("parent__uuid", is_id=True),
        NOTE: Attribute("description"),
        "status": Attribute("status", words=WORDS),
        "user_id": Attribute("submitted_by"),
        "start_time": Attribute("started_at", is_time=True),
        "end_time": Attribute("finished_at", is_time=True),
        "created": Attribute("created_at", is_time=True),
    },
    {"metrics": _metric, "params": _param, "tags": _tag},
)
EXPERIMENTS = Language(
    {
        "name": Attribute("name"),
        "experiment_id": Attribute("uuid", is_id=True),
        "creation_time": Attribute("created_at", is_time=True),
        "last_update_time": Attribute("created_at", is_time=True),
    },
    {"tags": _tag},
)
