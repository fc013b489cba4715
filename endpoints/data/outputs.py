"""The dataset that an output of a step becomes. How it is to be read comes as blocks of an older
language than datasets have (`AdditionalTransformations`: `read_delimited_files()` and the like)."""

import json
from collections.abc import Mapping

from endpoints.data.dataflow import DataflowError, dump_dataflow

DELIMITED, PARQUET = "Microsoft.DPrep.ParseDelimitedBlock", "Microsoft.DPrep.ReadParquetFileBlock"
HEADERS = {
    0: "no_header",
    1: "from_first_file",
    2: "all_files_different_headers",
    3: "all_files_same_headers",
}


def write_output_dataflow(uri: str, transformations: str) -> tuple[str, str]:
    """The type and the dataflow of what lies below `uri`."""
    reader = None
    for block in _blocks(transformations):
        arguments = block.get("arguments")
        arguments = arguments if isinstance(arguments, Mapping) else {}
        if block.get("type") == DELIMITED:
            reader = {"read_delimited": _delimited(arguments)}
        elif block.get("type") == PARQUET:
            reader = {"read_parquet": {"include_path_column": False}}
    document: dict = {"paths": [{"pattern": f"{uri}/**"}]}
    if reader is not None:
        document["transformations"] = [reader]
    return ("file" if reader is None else "tabular"), dump_dataflow(document)


def _blocks(transformations: str) -> list[Mapping]:
    if not transformations:
        return []
    try:
        blocks = json.loads(transformations)["blocks"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataflowError("AdditionalTransformations cannot be read.") from error
    return [block for block in blocks if isinstance(block, Mapping)]


def _delimited(arguments: Mapping) -> dict:
    return {
        "delimiter": str(arguments.get("separator") or ","),
        "header": HEADERS.get(arguments.get("columnHeadersMode"), "all_files_same_headers"),
        "support_multi_line": bool(arguments.get("handleQuotedLineBreaks")),
        "empty_as_string": False,
        "encoding": "utf8",
        "include_path_column": False,
        "infer_column_types": True,
    }
