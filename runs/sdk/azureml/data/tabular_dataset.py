import itertools

from azureml._studio.columns import chosen, convert
from azureml._studio.limits import absent, lend_names
from azureml.data.abstract_dataset import AbstractDataset
from azureml.exceptions import DatasetValidationError

ENCODINGS = {
    "utf8": "utf-8-sig",
    "utf8bom": "utf-8-sig",
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "windows1252": "cp1252",
    "utf16": "utf-16",
    "utf32": "utf-32",
}
WIDEST = 1000  # columns without a heading whose type can be stated


class TabularDataset(AbstractDataset):
    """Rows and columns in delimited, JSON lines or Parquet files."""

    _kind = "tabular"

    def __init__(self, source, rows=None, **fields):
        super(TabularDataset, self).__init__(source, **fields)
        self._rows = rows or (0, None)

    def register(self, workspace, name, description=None, tags=None, create_new_version=False):
        if self._rows != (0, None):
            raise NotImplementedError(absent("TabularDataset.register of some rows"))
        return super(TabularDataset, self).register(
            workspace, name, description, tags, create_new_version
        )

    def take(self, count):
        first, end = self._rows
        return self._slice(first, first + count if end is None else min(end, first + count))

    def skip(self, count):
        first, end = self._rows
        return self._slice(first + count if end is None else min(end, first + count), end)

    def _slice(self, first, end):
        fields = {
            key: getattr(self, key) for key in ("id", "name", "version", "description", "tags")
        }
        return TabularDataset(self._source, rows=(first, end), **fields)

    def to_pandas_dataframe(self, on_error="null", out_of_range_datetime="null"):
        """All rows of all files, one below the other; only as many as are taken are read."""
        pandas = _pandas()
        first, end = self._rows
        frames, have = [], 0
        for number, (_, path) in enumerate(self._source.files()):
            if end is not None and have >= end:
                break
            frame = self._read(pandas, path, number, None if end is None else end - have, frames)
            have += len(frame)
            frames.append(frame)
        frame = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()
        if self._rows != (0, None):
            frame = frame.iloc[first:end].reset_index(drop=True)
        types, choices = (self._source.columns.get(key) or {} for key in ("types", "choices"))
        left = {name: types[name] for name in chosen(types, choices)}
        frame = convert(pandas, frame, left, on_error)
        return frame[chosen(frame.columns, choices)] if choices else frame

    def _read(self, pandas, path, number, limit, frames):
        reading = self._source.reading or "delimited"
        if reading == "parquet":
            return pandas.read_parquet(path)
        encoding = str(self._source.options.get("encoding") or "utf8").lower()
        encoding = ENCODINGS.get(encoding.replace("-", "").replace("_", ""), encoding)
        if reading == "json_lines":
            return pandas.read_json(path, lines=True, nrows=limit, encoding=encoding)
        if reading != "delimited":
            raise DatasetValidationError("The format '{}' cannot be read.".format(reading))
        return self._read_delimited(pandas, path, number, limit, frames, encoding)

    def _read_delimited(self, pandas, path, number, limit, frames, encoding):
        header = str(self._source.options.get("header") or "all_files_same_headers")
        named = not header.startswith("no") and not (number and "first" in header)
        first = list(frames[0].columns) if frames else []
        try:
            frame = pandas.read_csv(
                path,
                sep=self._source.options.get("delimiter") or ",",
                header=0 if named else None,
                nrows=limit,
                encoding=encoding,
                **self._as_text(named, first),
            )
        except pandas.errors.EmptyDataError:
            return pandas.DataFrame()
        if not named:
            names = ["Column{}".format(index + 1) for index in range(frame.shape[1])]
            frame.columns = [
                own if given is None else given
                for own, given in itertools.islice(itertools.zip_longest(names, first), len(names))
            ]
        return frame

    def _as_text(self, named, first):
        """What must not be guessed at: columns whose type is stated, and all of a dataset that says so."""
        if str(self._source.options.get("infer_column_types")).lower() == "false":
            return {"dtype": str, "keep_default_na": False, "na_values": [""]}
        stated = self._source.columns.get("types") or {}
        if not named:
            known = first or ["Column{}".format(index + 1) for index in range(WIDEST)]
            stated = [index for index, name in enumerate(known) if name in stated]
        return {"dtype": dict.fromkeys(stated, str)}


def _pandas():
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_pandas_dataframe() needs pandas, which cannot be imported ({}): add 'pandas' to the"
            " pip packages of the step's environment.".format(error)
        ) from error
    return pandas


lend_names(__name__)
