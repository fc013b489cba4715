"""Converts columns to the types in a dataset's definition, as the real SDK does. A value that cannot be
converted becomes null, or an error if the definition says so; a missing column stays missing."""

from azureml._studio.limits import HOW
from azureml.exceptions import DatasetValidationError

TRUE, FALSE = ("true", "1"), ("false", "0")


def convert(pandas, frame, types, on_error="null"):
    """`types` is {column: type}, each a word or {word: options} of the definition."""
    for column, given in types.items():
        if column not in frame.columns:
            continue
        kind, options = _kind(given)
        before = frame[column]
        after = MAKERS[kind](pandas, before, options)
        if on_error == "fail" and (after.isna() & before.notna()).any():
            raise DatasetValidationError(
                "The column '{}' has values that are no {}.".format(column, kind)
            )
        frame[column] = after
    return frame


def check(types, choices):
    for column in chosen(types, choices):
        _kind(types[column])


def chosen(names, choices):
    """The columns that are left of `names`; `choices` are pairs of a verb and the columns it names."""
    for verb, named in choices:
        names = [name for name in names if (name in named) == (verb == "keep_columns")]
    return names


def _kind(given):
    """The word of a type and its options."""
    kind, options = next(iter(given.items())) if isinstance(given, dict) else (given, None)
    if kind not in MAKERS:
        raise DatasetValidationError(
            "The column type '{}' of the dataset needs the real azureml packages. {}".format(
                kind, HOW
            )
        )
    return kind, options or {}


def _string(pandas, column, options):
    texts = [None if empty else str(value) for value, empty in zip(column, column.isna())]
    return pandas.Series(texts, index=column.index, dtype=object)


def _number(pandas, column, options):
    return pandas.to_numeric(column, errors="coerce").astype("float64")


def _integer(pandas, column, options):
    numbers = pandas.to_numeric(column, errors="coerce")
    if pandas.api.types.is_integer_dtype(numbers):
        return numbers.astype("int64")
    finite = numbers.where(numbers.abs() < 2.0**63)
    whole = finite.fillna(0).astype("int64")
    return whole.where(finite.notna()) if finite.isna().any() else whole


def _boolean(pandas, column, options):
    true = [str(value).lower() for value in _listed(options, "true_values") or TRUE]
    false = [str(value).lower() for value in _listed(options, "false_values") or FALSE]
    words = column.astype(str).str.strip().str.lower().where(column.notna())
    made = words.map(lambda word: True if word in true else False if word in false else None)
    return made if made.isna().any() else made.astype(bool)


def _moment(pandas, column, options):
    """In UTC, and without saying so."""
    made = None
    column = column.map(lambda value: value.strip() if isinstance(value, str) else value)
    for layout in _listed(options, "formats") or [None]:
        if layout is None:  # each by itself: pandas expects all to be like the first
            found = column.map(lambda value: pandas.to_datetime(value, errors="coerce", utc=True))
            found = pandas.to_datetime(found, utc=True)
        else:
            found = pandas.to_datetime(column, format=layout, errors="coerce", utc=True)
        made = found if made is None else made.fillna(found)
    return made.dt.tz_localize(None)


def _listed(options, name):
    """The option as a list. The SDK writes a list of one item as the item itself, for dates."""
    given = options.get(name)
    return given if given is None or isinstance(given, list) else [given]


MAKERS = {
    "string": _string,
    "int": _integer,
    "float": _number,
    "boolean": _boolean,
    "datetime": _moment,
}
