import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from endpoints import data, services
from endpoints.models import Dataset, Module, PipelineEndpoint, PublishedPipeline, SavedDataset
from endpoints.seed import PIPELINES, SAMPLES, seed
from studio.core.errors import NotFound

SDK = Path(__file__).resolve().parent.parent.parent / "runs" / "sdk"


@pytest.fixture
def seeded(workspace, tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path / 'storage'}"
    seed(workspace)
    return workspace


def test_every_sample_has_an_endpoint(seeded):
    found = {endpoint.name: endpoint for endpoint in PipelineEndpoint.objects.all()}
    assert set(found) == {"compare", "titanic", "datapath", "flaky"}
    assert [row.number for row in found["compare"].versions.order_by("number")] == [0, 1]
    assert found["compare"].default_version.number == 1
    assert PublishedPipeline.objects.filter(name="compare").first().parameter_defaults == {
        "pipeline_arg": "10"
    }


def test_seeding_again_changes_nothing(seeded):
    def counts():
        models = (PipelineEndpoint, PublishedPipeline, Module, Dataset, SavedDataset)
        return [model.objects.count() for model in models]

    before = counts()
    seed(seeded)
    assert counts() == before


def test_without_samples_there_is_compute_and_a_datastore(workspace):
    seed(workspace, samples=False)
    assert workspace.compute_targets.filter(name="cpu-cluster").exists()
    assert workspace.datastores.get(is_default=True).name == "workspaceblobstore"
    assert not PublishedPipeline.objects.exists()


def test_the_datasets_hold_real_passengers(seeded, tmp_path):
    rows = {}
    for name, count in (("titanic-training", 691), ("titanic-inference-file", 200)):
        saved = data.find_saved(seeded, {"DataSetReference": {"Name": name}})
        path = data.materialise(data.places_of(saved), tmp_path / name)
        with path.open(newline="") as file:
            rows[name] = list(csv.DictReader(file))
        assert len(rows[name]) == count
    first = rows["titanic-training"][0]
    assert first["Name"] == "Braund, Mr. Owen Harris" and first["Sex"] == "male"
    assert {row["Survived"] for row in rows["titanic-training"]} == {"0", "1"}


def test_the_dataset_parameters_point_to_the_training_passengers(seeded):
    defaults = PublishedPipeline.objects.get(name="titanic").graph.dataset_defaults
    assert set(defaults) == {"tabular_ds_param", "file_ds_param"}
    saved = data.find_saved(seeded, defaults["tabular_ds_param"])
    assert saved.registrations.get().dataset.name == "titanic-training"


def test_both_places_of_the_data_path_hold_something(seeded):
    for place, file in (("first", "here.txt"), ("second", "there.txt")):
        found = data.locate(seeded, "workspaceblobstore", f"samples/datapath/{place}")
        assert [entry.path for entry in found.files()] == [f"samples/datapath/{place}/{file}"]
    with pytest.raises(NotFound):
        found.child("samples/datapath/third").listing()


@pytest.mark.parametrize("name", [name for name, _ in PIPELINES])
def test_a_sample_can_be_published_by_anybody(seeded, actor, name):
    assert services.publish_folder(actor, SAMPLES / name).name == name


def run(script, *arguments, cwd):
    """The script as a step runs it, but without a studio: the in-step package works offline too."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK)}
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_compare_finds_fewer_misses_above_a_higher_threshold(tmp_path):
    scripts = SAMPLES / "compare" / "src"
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(scripts / "train.py", "--output", one, cwd=tmp_path).returncode == 0
    assert (
        run(scripts / "extract.py", "--input", one, "--output", two, cwd=tmp_path).returncode == 0
    )
    above = {}
    for threshold in (5, 10):
        out = tmp_path / str(threshold)
        done = run(
            scripts / "compare.py", "--comp_data1", one, "--comp_data2", two,
            "--output_data", out, "--param1", threshold, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"param1 = {threshold}" in done.stdout
        above[threshold] = json.loads((out / "report.json").read_text())["above"]
        assert (tmp_path / "outputs/comparison.svg").read_text().startswith("<svg ")
    assert above[5] > above[10] > 0


def test_flaky_fails_in_part_five_unless_fixed(tmp_path):
    scripts = SAMPLES / "flaky" / "src"
    assert run(scripts / "split.py", "--output", tmp_path / "in", cwd=tmp_path).returncode == 0

    def part(number, fix):
        return run(
            scripts / "part.py", "--number", number, "--fix", fix,
            "--input", tmp_path / "in", "--output", tmp_path / str(number), cwd=tmp_path,
        )  # fmt: skip

    broken = part(5, "False")
    assert broken.returncode == 1 and "fix = true" in broken.stderr
    for number in range(1, 9):
        assert part(number, "True").returncode == 0
    done = run(scripts / "collect.py", *(tmp_path / str(n) for n in range(1, 9)), cwd=tmp_path)
    assert "total: 3240" in done.stdout, done.stderr


def test_datapath_prints_what_it_finds(tmp_path):
    done = run(
        SAMPLES / "datapath" / "src" / "train_with_datapath.py", "--arg1", "text",
        "--arg2", SAMPLES / "datapath" / "data" / "second", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "arg1: text" in done.stdout and "there.txt: The second place" in done.stdout
