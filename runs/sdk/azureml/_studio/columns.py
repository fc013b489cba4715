"""Columns made of the types that a dataset's definition states, as the real SDK makes them: what cannot
be one becomes null, or an error where that is asked for; a column that is not there is none."""

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


def check(types):
    for given in types.values():
        _kind(given)


def _kind(given):
    """The word of a type and its options."""
    kind, options = next(iter(given.items())) if isinstance(given, dict) else (given, None)
    if kind not in MAKERS:
        raise DatasetValidationError(
            "The column type '{}' of the dataset needs the real azureml packages.".format(kind)
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
    true = [text.lower() for text in options.get("true_values") or TRUE]
    false = [text.lower() for text in options.get("false_values") or FALSE]
    words = column.astype(str).str.lower().where(column.notna())
    made = words.map(lambda word: True if word in true else False if word in false else None)
    return made if made.isna().any() else made.astype(bool)


def _moment(pandas, column, options):
    made = None
    for layout in options.get("formats") or [None]:
        found = pandas.to_datetime(column, format=layout, errors="coerce")
        made = found if made is None else made.fillna(found)
    return made


MAKERS = {
    "string": _string,
    "int": _integer,
    "float": _number,
    "boolean": _boolean,
    "datetime": _moment,
}
