"""The text that defines a dataset (MLTable): where the data is and how it is read.

A reader for the plain YAML that the SDK writes - nested mappings and lists of scalars - since the
standard library has none; JSON, which is YAML too, is taken as such.
"""

import json

from azureml._studio.columns import check
from azureml._studio.limits import HOW
from azureml.exceptions import DatasetValidationError

READERS = {
    "read_delimited": "delimited",
    "read_json_lines": "json_lines",
    "read_parquet": "parquet",
}
CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}


def definition(text):
    """The paths as (kind, address) pairs, the format (None: plain files), its options, and the types
    and the choice of its columns."""
    document = parse(text) or {}
    paths = []
    for path in document.get("paths") or []:
        paths.extend(sorted(path.items()))
    reading, options, columns = None, {}, {"types": {}, "choices": []}
    for step in document.get("transformations") or []:
        name, given = (step, None) if isinstance(step, str) else next(iter(step.items()))
        if name == "convert_column_types":
            for entry in given or []:
                for column in _list_of(entry.get("columns")):
                    columns["types"][column] = entry.get("column_type")
            continue
        if name in ("keep_columns", "drop_columns"):
            columns["choices"].append([name, _list_of(given)])
            continue
        if name not in READERS:
            raise DatasetValidationError(
                "The dataset's transformation '{}' needs the real azureml packages. {}".format(
                    name, HOW
                )
            )
        reading, options = READERS[name], given or {}
    check(**columns)
    return paths, reading, options, columns


def _list_of(given):
    return given if isinstance(given, list) else [given]


def parse(text):
    if text.lstrip().startswith("{"):
        return json.loads(text)
    lines = []
    for line in text.splitlines():
        bare = line.strip()
        if bare and bare != "---" and not bare.startswith(("#", "%")):
            lines.append((len(line) - len(line.lstrip()), bare))
    value, rest = _block(lines, 0)
    if rest:
        raise DatasetValidationError(
            "The dataset's definition cannot be read at '{}'.".format(rest[0][1])
        )
    return value


def _block(lines, indent):
    """The value that starts on the first line, and the lines after it."""
    if not lines or lines[0][0] < indent:
        return None, lines
    return _list(lines) if lines[0][1].startswith("- ") else _mapping(lines)


def _list(lines):
    indent, items = lines[0][0], []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        text = lines[0][1][2:].lstrip()
        offset = indent + len(lines[0][1]) - len(text)
        if _key(text) is None:
            items.append(_scalar(text))
            lines = lines[1:]
        else:
            value, lines = _mapping([(offset, text)] + lines[1:])
            items.append(value)
    return items, lines


def _mapping(lines):
    indent, found = lines[0][0], {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        pair = _key(lines[0][1])
        if pair is None:
            break
        key, text = pair
        lines = lines[1:]
        if text:
            found[key] = _scalar(text)
            continue
        nested_list = bool(lines) and lines[0][0] == indent and lines[0][1].startswith("- ")
        found[key], lines = _list(lines) if nested_list else _block(lines, indent + 1)
    return found, lines


def _key(text):
    """Key and value text of `key: value`; a quoted scalar is no key."""
    if text[0] in "\"'":
        return None
    key, colon, value = text.partition(":")
    if not colon or (value and value[0] != " "):
        return None
    return key.strip(), value.strip()


def _scalar(text):
    if text[0] == '"':
        return json.loads(text)
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text in ("[]", "{}"):
        return [] if text == "[]" else {}
    return CONSTANTS.get(text.lower(), text)
