"""The recipe of the score network: every preset takes a step, and a run leaves all it should."""

import json
from dataclasses import replace

import torch

from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe


def test_a_run_leaves_samples_and_scores(tmp_path):
    folder = run_recipe("ncsn-digits", "smoke", out=tmp_path / "run").folder
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"frechet", "frechet_reference", "precision", "recall"} <= set(metrics)
    assert (folder / "samples.png").exists()


def test_samples_are_images_and_repeat():
    recipe = replace(find_recipe("ncsn-digits", "smoke"), levels=4)
    model = recipe.model(recipe.data("train"))
    first, again = (recipe.sample(model, 3, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == (3, 1, 8, 8)
    assert first.abs().max() <= 1
