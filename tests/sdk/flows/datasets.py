"""Datasets under their names: changed, filtered, split, partitioned, unregistered; datastores told."""

import datetime
from pathlib import Path

import pandas
from azureml.core import Dataset, Datastore, Workspace
from azureml.data import DataType, FileDataset, TabularDataset
from azureml.data.azure_storage_datastore import AzureBlobDatastore

ws = Workspace.from_config()
store: AzureBlobDatastore = ws.get_default_datastore()


def refused(call, *words):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError("this should have been refused")


# Files for all of it
Path("days").mkdir(exist_ok=True)
Path("days/days.csv").write_text(
    "day,city,number\n2024-01-01,rome,1\n2024-02-01,oslo,2\n2024-03-01,rome,3\n"
)
Path("days/note.json").write_text("{}")
Dataset.File.upload_directory("days", (store, "datasets/days"), overwrite=True)
table = Dataset.Tabular.from_delimited_files((store, "datasets/days/days.csv"))
files = Dataset.File.from_files((store, "datasets/days/**"))
assert TabularDataset.Tabular is FileDataset.Tabular is Dataset.Tabular
assert TabularDataset.File is FileDataset.File is Dataset.File


def change(dataset, name):
    """What is said of a name changes in place, and everywhere; its data and version do not."""
    dataset = dataset.register(ws, name, description="first", tags={"a": "b"})
    assert dataset.description == "first"
    assert dataset.add_tags({"c": "d"}).tags == {"a": "b", "c": "d"}
    assert dataset.remove_tags(["a"]).tags == {"c": "d"}
    assert dataset.update(description="second").description == "second"
    found = Dataset.get_by_name(ws, name)
    assert (found.version, found.description, found.tags) == (1, "second", {"c": "d"})
    found = found.update(description="", tags={})
    assert (found.description or "", found.tags) == ("", {})
    saved = dataset.id
    dataset.unregister_all_versions()
    assert dataset.name is None
    refused(lambda: Dataset.get_by_name(ws, name), "Cannot find dataset", name)
    assert name not in Dataset.get_all(ws)
    assert Dataset.get_by_id(ws, saved).id == saved
    assert type(found)._get_by_id(ws, saved).register(ws, name).version == 1


change(table, "changing-table")
change(files, "changing-files")

# When, and which rows
started = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(hours=1)
assert table.data_changed_time > started
assert files.data_changed_time > started
timed = table.with_timestamp_columns("day")


def numbers(dataset):
    frame = dataset.to_pandas_dataframe()
    return frame["number"].tolist() if len(frame) else []


january, february = (datetime.datetime(2024, m, 15) for m in (1, 2))  # noqa: DTZ001
assert numbers(timed.time_before(january)) == [1]
assert numbers(timed.time_after(february)) == [3]
assert numbers(timed.time_between(january, february)) == [2]
assert numbers(timed.time_recent(datetime.timedelta(days=365 * 200))) == [1, 2, 3]

# As parquet, and by the values of a column
(packed,) = table.to_parquet_files().download("packed", overwrite=True)
assert pandas.read_parquet(packed)["number"].tolist() == [1, 2, 3]
target = (store, "datasets/by-city")
by_city = table.partition_by(["city"], target, name="by-city", show_progress=False)
assert by_city.partition_keys == ["city"]
cities = by_city.get_partition_key_values(["city"])
assert sorted(row["city"] for row in cities) == ["oslo", "rome"]
assert sorted(numbers(by_city)) == [1, 2, 3]
parts = Dataset.File.from_files(
    (store, "datasets/by-city/*/*/*.parquet"),
    partition_format="datasets/by-city/{batch}/{city}/*.parquet",
)
assert parts.partition_keys == ["batch", "city"]
cities = parts.get_partition_key_values(["city"])
assert {row["city"] for row in cities} == {"oslo", "rome"}

# Which files
assert files.filter(files.file_metadata("Size") > 10).to_path() == ["/days.csv"]
first, second = files.random_split(0.5, seed=1)
assert sorted(first.to_path() + second.to_path()) == ["/days.csv", "/note.json"]
assert files.take_sample(1.0, seed=1).to_path() == ["/days.csv", "/note.json"]

# Files that a column names
Path("days/streams.csv").write_text(
    "place\nAmlDatastore://workspaceblobstore/datasets/days/note.json\n"
)
store.upload_files(
    ["days/streams.csv"], target_path="datasets", overwrite=True, show_progress=False
)
named = Dataset.Tabular.from_delimited_files(
    (store, "datasets/streams.csv"), set_column_types={"place": DataType.to_stream(ws)}
)
(note,) = named.download("place", "streams-here", overwrite=True)
assert Path(note).read_text() == "{}"

# Datastores
assert store.as_download().mode == "download"
assert store.as_mount().mode == "mount"
assert store.as_upload().mode == "upload"
store.set_as_default()
assert ws.get_default_datastore().name == store.name
refused(
    lambda: Datastore.register_azure_blob_container(ws, "mine", "c", "account", account_key="k"),
    "'mine' cannot be registered",
    "an administrator adds datastores",
)
refused(store.unregister, "cannot be removed by a client")
assert list(ws.datastores) == [store.name]
