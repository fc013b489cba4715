"""Logged values as rows of typed columns, the way the metrics service keeps them."""

from azureml.exceptions import UserErrorException

SCALAR = "azureml.v1.scalar"
LIST = "azureml.v1.list"
TABLE = "azureml.v1.table"
IMAGE = "azureml.v2.image"
INT64 = 2**63


class Row(object):
    def __init__(self, name, type, columns, value, step=None):
        self.name = str(name)
        self.type = type
        self.columns = columns
        self.value = value
        self.step = step


def scalar(name, value, step=None):
    if isinstance(value, (list, range)) or hasattr(value, "__next__"):
        raise UserErrorException("run.log does not support list type. Use run.log_list instead")
    value, kind = typed(value)
    return [
        Row(
            name, SCALAR, {str(name): kind}, {str(name): value}, None if step is None else int(step)
        )
    ]


def listed(name, values):
    values, kind = column(values)
    return [Row(name, LIST, {str(name): kind}, {str(name): value}) for value in values]


def row(name, cells):
    for key in cells:
        if isinstance(cells[key], (list, tuple, dict)):
            raise UserErrorException(
                "The column '{}' of the row '{}' holds a {}; a row holds single values.".format(
                    key, name, type(cells[key]).__name__
                )
            )
    return table(name, {key: [cells[key]] for key in cells})


def table(name, columns):
    if not isinstance(columns, dict):
        raise UserErrorException("The table '{}' must be a dict of columns.".format(name))
    names, kinds, values = [], {}, []
    for key in columns:
        cells, kind = column(columns[key])
        names.append(str(key))
        kinds[str(key)] = kind
        values.append(cells)
    if len({len(cells) for cells in values}) > 1:
        raise UserErrorException(
            "The columns of the table '{}' differ in length: {}.".format(
                name,
                ", ".join("{} has {}".format(key, len(cells)) for key, cells in zip(names, values)),
            )
        )
    return [Row(name, TABLE, kinds, dict(zip(names, cells))) for cells in zip(*values)]


def artifact(name, type, location):
    return [Row(name, type, {str(name): "Artifact"}, {str(name): location})]


def column(values):
    """One type for all: a float among integers makes them all double, anything else text."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        values = [values]
    pairs = [typed(value) for value in values]
    kinds = {kind for value, kind in pairs if value is not None}
    if len(kinds) <= 1:
        return [value for value, _ in pairs], kinds.pop() if kinds else "string"
    if kinds <= {"int", "double"}:
        return [float(value) if kind == "int" else value for value, kind in pairs], "double"
    return [value if value is None else str(value) for value, _ in pairs], "string"


def typed(value):
    """A value that JSON can carry, and its column type. NaN and the infinities are no numbers in
    JSON: they travel as text, which is read back as a number from a double column."""
    if isinstance(value, bool):
        return value, "bool"
    if isinstance(value, int):
        return (int(value), "int") if -INT64 <= value < INT64 else (str(value), "string")
    if isinstance(value, float):
        return _number(float(value)), "double"
    if value is None or isinstance(value, str):
        return value if value is None else str(value), "string"
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):  # numpy and tensor scalars
        item = value.item()
        if type(item) is not type(value):
            return typed(item)
    if not hasattr(value, "__len__") and hasattr(value, "__float__"):
        return _number(float(value)), "double"
    return str(value), "string"


def _number(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def read_back(type, columns, values):
    """Stored rows as `get_metrics` gives them: one row is a value, several are a list; a table is a
    dict of columns with the same rule."""
    if type == TABLE:
        cells = {
            name: [_cell(columns[name], value.get("data", {}).get(name)) for value in values]
            for name in columns
        }
        return {name: cells[name][0] if len(values) == 1 else cells[name] for name in cells}
    found = []
    for value in values:
        data = value.get("data", {})
        for name in columns:
            if name in data:
                found.append(_cell(columns[name], data[name]))
    return found[0] if len(found) == 1 else found


def _cell(kind, value):
    return float(value) if kind.lower() in ("double", "float") and value is not None else value
