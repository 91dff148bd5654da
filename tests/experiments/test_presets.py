"""Every preset of every recipe takes its first steps, at its own size and precision."""

import math
from dataclasses import replace

import pytest
import torch

from gdmcourse.experiments import CATALOG, PRESETS, find_recipe
from gdmcourse.experiments.latent import LatentRecipe
from gdmcourse.training import fit, make_fabric
from tests.experiments.stand_in import stand_in

GUESSES_CLASSES = {name for name in CATALOG if name.startswith(("classifier", "guide"))}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", CATALOG)
def test_every_preset_trains_for_two_steps(name, preset):
    """Compiling is left out: on a processor it takes minutes. Latents come from the smallest autoencoder."""
    recipe = replace(find_recipe(name, preset), compile=False)
    if isinstance(recipe, LatentRecipe):
        recipe = replace(recipe, autoencoder_preset="smoke")
    data = recipe.data("train") if recipe.dataset == "digits" else stand_in(recipe.dataset)
    model = recipe.model(data)
    before = [p.clone() for p in model.parameters()]
    result = fit(
        model,
        recipe.loss,
        recipe.tensors(data),
        steps=2,
        batch_size=4,
        lr=recipe.lr,
        ema_decay=recipe.ema_decay,
        log_every=1,
        fabric=make_fabric(1, 1, recipe.precision, accelerator="cpu"),
    )
    # An untrained classifier is worth log 10; of the others all that there is to guess is error at first.
    worth, slack = (math.log(10), 0.5) if name in GUESSES_CLASSES else (1, 0.8)
    assert result.history.values("loss")[0] == pytest.approx(worth, abs=slack)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    assert (result.ema is not None) == (recipe.ema_decay is not None)
