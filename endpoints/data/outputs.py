"""Turns an output of a step into a dataset. How to read it is sent as blocks of a language older
than datasets (`AdditionalTransformations`: `read_delimited_files()` and similar)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from endpoints.data.dataflow import DataflowError, dump_dataflow

DELIMITED, PARQUET = "Microsoft.DPrep.ParseDelimitedBlock", "Microsoft.DPrep.ReadParquetFileBlock"
FILTER = "Microsoft.DPrep.ExpressionFilterBlock"
CHOICES = {
    "Microsoft.DPrep.DropColumnsBlock": "drop_columns",
    "Microsoft.DPrep.KeepColumnsBlock": "keep_columns",
}
ENDING = re.compile(
    re.escape(
        '{"expression": {"r": ["Invoke", [{"r": ["Identifier", "String_EndsWith"]}, [{"r": ["Invoke",'
        ' [{"r": ["Identifier", "GetResourceName"]}, [{"r": ["RecordField", [{"r": ["Identifier",'
        ' "row"]}, {"r": ["Value", "Path"]}]]}]]]}, {"r": ["Value", "'
    )
    + r"(\.[\w.\-]{1,40})"
    + re.escape('"]}]]]}}')
)
PATH = ["Path"]  # readers add this column; the client drops it unless asked to keep it
HEADERS = {
    0: "no_header",
    1: "from_first_file",
    2: "all_files_different_headers",
    3: "all_files_same_headers",
}


def write_output_dataflow(uri: str, transformations: str) -> tuple[str, str]:
    """The dataset type and dataflow for the files below `uri`."""
    steps = read_transformations(transformations)
    endings = [_ending(block) for block in _blocks(transformations) if block.get("type") == FILTER]
    files = f"**/*{endings[-1]}" if endings else "**"
    document: dict[str, Any] = {"paths": [{"pattern": f"{uri}/{files}"}]}
    if steps:
        document["transformations"] = steps
    return ("tabular" if steps else "file"), dump_dataflow(document)


def read_transformations(transformations: str) -> list[dict[str, Any]]:
    """The blocks as steps of a dataflow; empty for plain files. Unsupported blocks are refused."""
    steps: list[dict[str, Any]] = []
    for block in _blocks(transformations):
        arguments = block.get("arguments")
        arguments = arguments if isinstance(arguments, Mapping) else {}
        kind = str(block.get("type"))
        if kind == DELIMITED:
            steps.append({"read_delimited": _delimited(arguments)})
        elif kind == PARQUET:
            steps.append({"read_parquet": {"include_path_column": False}})
        elif kind in CHOICES:
            if (columns := _columns(arguments)) != PATH:
                steps.append({CHOICES[kind]: columns})
        elif kind == FILTER and _ending(block):
            continue  # this block chooses the files
        else:
            raise DataflowError(
                f"The transformation {kind.removeprefix('Microsoft.DPrep.')[:60]!r} of an output"
                " is not known here: an output can be read as delimited or Parquet files, and its"
                " columns kept or dropped."
            )
    return steps


def _blocks(transformations: str) -> list[Mapping[str, Any]]:
    if not transformations:
        return []
    try:
        blocks = json.loads(transformations)["blocks"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataflowError("The transformations of the output cannot be read.") from error
    if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
        raise DataflowError("The transformations of the output cannot be read.")
    return blocks


def _ending(block: Mapping[str, Any]) -> str:
    """`.csv`, from the filter on file names that `parse_delimited_files()` and similar add."""
    match = ENDING.fullmatch(json.dumps(block.get("arguments")))
    return match[1] if match else ""


def _columns(arguments: Mapping[str, Any]) -> list[str]:
    try:
        columns = arguments["columns"]["details"]["selectedColumns"]
    except (KeyError, TypeError):
        columns = None
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise DataflowError("The columns that an output keeps or drops are not named.")
    return columns


def _header(mode: object) -> str:
    return HEADERS.get(mode if isinstance(mode, int) else -1, "all_files_same_headers")


def _delimited(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "delimiter": str(arguments.get("separator") or ","),
        "header": _header(arguments.get("columnHeadersMode")),
        "support_multi_line": bool(arguments.get("handleQuotedLineBreaks")),
        "empty_as_string": False,
        "encoding": "utf8",
        "include_path_column": False,
        "infer_column_types": True,
    }
