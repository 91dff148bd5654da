"""The recipe of the score network: every preset takes a step, and a run leaves all it should."""

import json
from dataclasses import replace

import pytest
import torch

from gdmcourse.experiments import PRESETS, find_recipe
from gdmcourse.experiments.run_folder import run_recipe
from gdmcourse.training import fit, make_fabric


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains_for_two_steps(preset):
    """At its own size and precision. Compiling is left out: on a processor it takes minutes."""
    recipe = find_recipe("ncsn-digits", preset)
    data = recipe.data("train")
    fabric = make_fabric(1, 1, recipe.precision, accelerator="cpu")
    model = recipe.model(data)
    before = [p.clone() for p in model.parameters()]
    result = fit(
        model,
        recipe.loss,
        recipe.tensors(data),
        steps=2,
        batch_size=4,
        lr=recipe.lr,
        log_every=1,
        fabric=fabric,
    )
    # The last layer starts at zero, so at first all of the noise is error.
    assert result.history.values("loss")[0] == pytest.approx(1, abs=0.4)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


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
