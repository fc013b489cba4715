"""Conditions that Django lacks: a value under any JSON key, and SQL's LIKE."""

import re

from django.db.models import F, Field, FloatField, Func, Lookup, TextField, Value

from studio.core.db.folded import fold

FOLD = "STUDIO_FOLD"
INFINITE = "('Infinity', '-Infinity')"
GLOB = str.maketrans({"%": "*", "_": "?"})


class JsonText(Func):
    """The text under `key` in the objects of a JSON column, for any key.

    Django's transform takes a key of digits for an index, and SQLite's paths cannot contain a
    quote; but people choose names of tags and metrics freely.
    """

    output_field: Field = TextField()

    def __init__(self, key: str, column: str):
        super().__init__(F(column), Value(key))

    def as_sqlite(self, compiler, connection, **extra):
        template = "(SELECT value FROM json_each(%(expressions)s))"
        return self.as_sql(
            compiler, connection, template=template, arg_joiner=") WHERE key = (", **extra
        )

    def as_postgresql(self, compiler, connection, **extra):
        return self.as_sql(
            compiler, connection, template="(%(expressions)s)", arg_joiner=" ->> ", **extra
        )


class JsonNumber(JsonText):
    """The number under `key`. Infinities are stored as words; other texts are not numbers."""

    output_field = FloatField()

    def as_sqlite(self, compiler, connection, **extra):
        template = (
            "(SELECT CASE value WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' THEN -9e999 ELSE value END"
            " FROM json_each(%(expressions)s))"
        )
        joiner = f") WHERE (type IN ('integer', 'real') OR value IN {INFINITE}) AND key = ("
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        template = "(SELECT (value #>> '{}')::double precision FROM jsonb_each(%(expressions)s))"
        is_number = f"(jsonb_typeof(value) = 'number' OR value #>> '{{}}' IN {INFINITE})"
        joiner = f") WHERE {is_number} AND key = ("
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)


def _glob(pattern: str) -> str:
    return re.sub(r"[*?\[]", r"[\g<0>]", pattern).translate(GLOB)


def teach_sqlite(connection, **_signal) -> None:
    """Give a new connection the function behind ILike; SQLite's own LIKE folds ASCII only."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            FOLD, 1, lambda text: text if text is None else fold(str(text)), deterministic=True
        )


class Like(Lookup):
    """SQL's LIKE without an escape character, case-sensitive: `%` matches any text, `_` any
    character."""

    prepare_rhs = False  # the pattern stays plain text

    def as_sql(self, compiler, connection):
        return self.joined(compiler, connection, "LIKE", self.rhs, " ESCAPE ''")

    def as_sqlite(self, compiler, connection):
        return self.joined(compiler, connection, "GLOB", _glob(self.rhs))

    def joined(self, compiler, connection, sign: str, pattern: str, escape: str = ""):
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} {sign} %s{escape}", [*params, pattern]


class ILike(Like):
    """The same, case-insensitive; on SQLite by a function of ours."""

    def as_sql(self, compiler, connection):
        return self.joined(compiler, connection, "ILIKE", self.rhs, " ESCAPE ''")

    def as_sqlite(self, compiler, connection):
        pattern = _glob(fold(self.rhs))
        sql, params = self.process_lhs(compiler, connection)
        return f"{FOLD}({sql}) GLOB %s", [*params, pattern]
