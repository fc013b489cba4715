"""The filter language of run history's queries: the part of OData that clients send (wire.md 9.2).

`(Status eq Running) and (Tags/k eq "v" or RunId eq X)`: values are bare or in quotes of either
kind, `and` binds tighter than `or`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.lookups import Exact, IsNull

from runs.models import Kind, RunAttribute
from runs.states import Status
from runs.tracking.tags import VALUE_LENGTH
from runs.tracking.times import read_time
from studio.core.db.lookups import JsonText
from studio.core.errors import BadValue

DEEPEST = 20
LONGEST, MOST = 20_000, 450  # characters and comparisons; SQLite takes 1000, some count twice
MOST_TAGS = 50  # each may be a join; PostgreSQL needs seconds to plan a hundred
SIGNS = {"ge": "gte", "gt": "gt", "le": "lte", "lt": "lt", "eq": "exact"}
# No backtracking over blanks: callers choose these texts, and may mean harm.
BEGINNING = re.compile(
    r"(?P<field>[^()\s]+(?:[ ][^()\s]+){0,8}?)\s++(?P<sign>eq|ne|ge|le|gt|lt)(?=[\s()]|$)\s*+",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'(?P<singly>(?:[^']++|'')*+)'|\"(?P<doubly>[^\"]*+)\"")
END_OF_BARE = re.compile(r"[()]|(?<!\s)\s++(?:and|or)(?=[\s()]|$)|$", re.IGNORECASE)
WORD = re.compile(r"\s*+(\(|\)|(?:and|or)(?=[\s()]|$))", re.IGNORECASE)


def parse(text: str, readers: "Mapping[str, Reader] | None" = None) -> Q:
    """The condition of a filter, over runs unless `readers` know other rows; BadValue names what
    cannot be read."""
    if len(text) > LONGEST:
        raise BadValue(f"The filter is longer than {LONGEST} characters.", target="filter")
    if not text.strip():
        return Q()
    reader = _Reader(text, RUNS if readers is None else readers)
    condition = reader.either(depth=0)
    reader.expect_end()
    return condition


class _Reader:
    def __init__(self, text: str, readers: "Mapping[str, Reader]"):
        self.text, self.at, self.readers = text, 0, readers
        self.count = self.tags = 0  # comparisons, and those with tags among them

    def either(self, depth: int) -> Q:
        condition = self.both(depth)
        while self.take("or"):
            condition |= self.both(depth)
        return condition

    def both(self, depth: int) -> Q:
        condition = self.one(depth)
        while self.take("and"):
            condition &= self.one(depth)
        return condition

    def one(self, depth: int) -> Q:
        if depth > DEEPEST:
            raise self.wrong("is nested too deeply")
        if self.take("("):
            condition = self.either(depth + 1)
            if not self.take(")"):
                raise self.wrong("lacks a closing bracket")
            return condition
        self.skip_spaces()
        if self.at == len(self.text) or WORD.match(self.text, self.at):
            raise self.wrong("lacks a comparison")
        match = BEGINNING.match(self.text, self.at)
        if match is None:
            raise self.wrong("cannot be read")
        self.counted(match["field"])
        self.at = match.end()
        value, is_quoted = self.value()
        comparison = Comparison(match["field"], match["sign"].lower(), value, is_quoted)
        return comparison.q(self.readers)

    def counted(self, field: str) -> None:
        self.count += 1
        self.tags += field.lower().startswith("tags/")
        if self.count > MOST:
            raise BadValue(f"The filter has more than {MOST} comparisons.", target="filter")
        if self.tags > MOST_TAGS:
            raise BadValue(f"The filter compares more than {MOST_TAGS} tags.", target="filter")

    def value(self) -> tuple[str, bool]:
        """A bare value ends at a bracket, at a joining word or at the end; a quoted one at its quote."""
        if quoted := QUOTED.match(self.text, self.at):
            self.at = quoted.end()
            return quoted["doubly"] or (quoted["singly"] or "").replace("''", "'"), True
        if self.at == len(self.text) or WORD.match(self.text, self.at):
            raise self.wrong("lacks a value")
        start, self.at = self.at, END_OF_BARE.search(self.text, self.at).start()
        return self.text[start : self.at].strip(), False

    def take(self, word: str) -> bool:
        match = WORD.match(self.text, self.at)
        if match is None or match[1].lower() != word:
            return False
        self.at = match.end()
        return True

    def skip_spaces(self):
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def expect_end(self):
        if self.text[self.at :].strip():
            raise self.wrong("cannot be read")

    def wrong(self, why: str) -> BadValue:
        rest = self.text[self.at :].strip()
        place = repr(rest[:60]) if rest else "its end"
        return BadValue(f"The filter {why} at {place}.", target="filter")


@dataclass(frozen=True)
class Comparison:
    field: str
    sign: str
    value: str
    quoted: bool = False

    def q(self, readers: "Mapping[str, Reader]") -> Q:
        name, _, key = self.field.partition("/")
        reader = readers.get(name.lower())
        if reader is None:
            known = ", ".join(SPELLED.get(name, name) for name in readers)
            raise BadValue(f"The filter names {self.field!r}; known are {known}.", target="filter")
        return reader(self, key)

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.value.lower() == "null"

    def equal(self, condition: Q) -> Q:
        """Applies `condition` for `eq` and its negation for `ne`; other operators are refused."""
        if self.sign == "eq":
            return condition
        if self.sign == "ne":
            return ~condition
        raise BadValue(f"{self.field} can be compared by eq and ne only.", target="filter")


def _run_id(column: str):
    def read(comparison: Comparison, key: str) -> Q:
        if comparison.is_null:
            return comparison.equal(Q(**{f"{column}__isnull": True}))
        try:
            uuid = UUID(comparison.value)
        except ValueError:
            return comparison.equal(NOTHING)  # an id of another make is nobody's
        name = "uuid" if column == "pk" else f"{column}__uuid"
        return comparison.equal(Q(**{name: uuid}))

    return read


def _status(comparison: Comparison, key: str) -> Q:
    found = [word for word in Status if word.lower() == comparison.value.lower()]
    condition = Q(status=found[0]) if found else NOTHING
    if found == [Status.CANCELED]:
        condition |= Q(status=Status.SKIPPED)  # run history shows these as Canceled
    return comparison.equal(condition)


def _run_type(comparison: Comparison, key: str) -> Q:
    word = comparison.value.lower().removeprefix("azureml.")
    kinds = {
        "pipelinerun": Q(kind=Kind.PIPELINE),
        "pipeline": Q(kind=Kind.PIPELINE),
        "steprun": Q(kind=Kind.STEP),
        "step": Q(kind=Kind.STEP),
        "scriptrun": Q(kind__in=[Kind.CHILD, Kind.SCRIPT]),
    }
    if word in kinds:
        return comparison.equal(kinds[word])
    return _kept("properties")(comparison, "azureml.runsource")  # a type that the client made up


def _metric_type(comparison: Comparison, key: str) -> Q:
    return _kept("metric__properties")(comparison, "uxMetricType")


def _tag(comparison: Comparison, key: str) -> Q:
    rows = RunAttribute.objects.filter(kind="tag", key=key)
    if comparison.is_null:
        return _of_key(comparison, Q(pk__in=rows.values("run_id")))
    condition = Q(pk__in=rows.filter(value=comparison.value[:VALUE_LENGTH]).values("run_id"))
    if len(comparison.value) >= VALUE_LENGTH:
        condition &= Q(Exact(JsonText(key, "tags"), comparison.value))
    return comparison.equal(condition)


def _property(comparison: Comparison, key: str) -> Q:
    if key.lower() == "azureml.runsource":
        return _run_type(comparison, key)
    return _kept("properties")(comparison, key)


def _kept(column: str):
    """One key of an object of texts that is a column of the row."""

    def read(comparison: Comparison, key: str) -> Q:
        text = JsonText(key, column)
        if comparison.is_null:
            return _of_key(comparison, Q(IsNull(text, False)))
        return comparison.equal(Q(Exact(text, comparison.value)))

    return read


def _of_key(comparison: Comparison, present: Q) -> Q:
    """A comparison of the value under a key. Comparisons with null are about presence, since stored
    values are never null: clients send "ne null or eq null" to find runs that have a tag."""
    return comparison.equal(NOTHING) & present


def _text(column: str):
    def read(comparison: Comparison, key: str) -> Q:
        value = "" if comparison.is_null else comparison.value
        return comparison.equal(Q(**{column: value}))

    return read


def _moment(column: str):
    def read(comparison: Comparison, key: str) -> Q:
        if comparison.is_null:
            return comparison.equal(Q(**{f"{column}__isnull": True}))
        try:
            moment = read_time(comparison.value)
        except ValueError:
            raise BadValue(
                f"{comparison.field} is compared with a time, not {comparison.value!r}.",
                target="filter",
            ) from None
        if comparison.sign == "ne":
            return ~Q(**{column: moment})
        return Q(**{f"{column}__{SIGNS[comparison.sign]}": moment})

    return read


Reader = Callable[[Comparison, str], Q]
NOTHING = Q(pk__in=())
RUNS: dict[str, Reader] = {
    "runid": _run_id("pk"),
    "parentrunid": _run_id("parent"),
    "rootrunid": _run_id("root"),
    "status": _status,
    "runtype": _run_type,
    "runtypev2": _run_type,
    "tags": _tag,
    "properties": _property,
    "target": _text("target"),
    "name": _text("name"),
    "displayname": _text("display_name"),
    "createdutc": _moment("created_at"),
    "starttimeutc": _moment("started_at"),
    "endtimeutc": _moment("finished_at"),
}
EXPERIMENTS: dict[str, Reader] = {
    "name": _text("name"),
    "tags": _kept("tags"),
    "createdutc": _moment("created_at"),
}
METRIC_VALUES: dict[str, Reader] = {
    "runid": _run_id("metric__run"),
    "name": _text("metric__name"),
    "metrictype": _metric_type,
    "createdutc": _moment("created_at"),
}
# The fields of the wire, for a message about an unknown one.
SPELLED = {
    name.partition("/")[0].lower(): name
    for name in (
        *("RunId", "ParentRunId", "RootRunId", "Status", "RunType", "RunTypeV2/Orchestrator"),
        *("Tags/…", "Properties/…", "Target", "Name", "DisplayName"),
        *("CreatedUtc", "StartTimeUtc", "EndTimeUtc", "MetricType"),
    )
}
