"""The record of the laptop's MNIST run: made by the command itself, with digits on it."""

import json
import sys
from dataclasses import asdict, fields

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.data.errors import MissingDataError
from gdmcourse.recipes import find_recipe
from gdmcourse.studies.ddpm_mnist import NAME, study
from gdmcourse.studies.record import FOLDER, picture, record, save_picture
from gdmcourse.studies.study import run_study


def test_the_record_is_of_the_recipe_as_it_is():
    """Fields that the recipe has got since then are at their defaults."""
    made = record(NAME)
    recipe = find_recipe("ddpm-mnist", "laptop")
    now = json.loads(json.dumps(asdict(recipe)))
    assert {name: now[name] for name in made["recipe"]} == made["recipe"]
    since = [field for field in fields(recipe) if field.name not in made["recipe"]]
    assert all(getattr(recipe, field.name) == field.default for field in since)
    assert made["steps"] == recipe.steps
    assert made["device"] == "cpu"


def test_the_recorded_digits_are_recognised():
    made = record(NAME)
    assert made["class_accuracy"] > 0.9
    assert made["real"]["frechet"] < made["frechet"] < 1.5 * made["real"]["frechet"]
    assert made["frechet"] < made["frechet_unlabelled"]
    assert made["real_accuracy"] > 0.98
    assert (FOLDER / f"{NAME}.png").stat().st_size < 60_000
    grid = picture(NAME)
    assert grid.shape == (1, 1, 6 * 29 + 1, 10 * 29 + 1)


def test_a_picture_goes_there_and_back(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[picture.__module__], "FOLDER", tmp_path)
    images = torch.rand(20, 1, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 - 1
    save_picture("grid", images, tmp_path)
    found = picture("grid")[0, 0]
    assert found.shape == (13, 61)
    torch.testing.assert_close(found[1:6, 1:6], images[0, 0], atol=4 / 255, rtol=0)
    torch.testing.assert_close(found[7:12, 7:12], images[11, 0], atol=4 / 255, rtol=0)
    assert found[0].max() < -0.99  # paper between them


@pytest.mark.slow
@pytest.mark.nightly
def test_a_record_is_made_by_a_run(tmp_path):
    try:
        load("mnist", "test", download=False)
    except MissingDataError as error:
        pytest.skip(str(error))
    run_study(study(preset="smoke"), to=tmp_path, runs=tmp_path)
    made = json.loads((tmp_path / f"{NAME}.json").read_text())
    assert made["recipe"] == json.loads(json.dumps(asdict(find_recipe("ddpm-mnist", "smoke"))))
    assert made["cpu_seconds"] > 1
    assert made["frechet"] > made["real"]["frechet"] > 0
    assert made["real_accuracy"] > 0.95
    assert made["machine"]
    assert (tmp_path / f"{NAME}.png").stat().st_size > 1000
