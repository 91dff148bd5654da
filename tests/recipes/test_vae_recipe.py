"""The recipe of variational autoencoders: what a run leaves, its bits, and its samples' grey levels."""

import json
from dataclasses import replace

import pytest
import torch

from gdmcourse.data.levels import to_levels
from gdmcourse.likelihood.vae import VAE
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.run_folder import run_recipe
from gdmcourse.recipes.vae import VAERecipe
from tests.oracles import gen


@pytest.mark.parametrize("name", ["vae-digits", "vae-map-digits"])
def test_a_run_leaves_bits_scores_and_samples(name, tmp_path):
    outcome = run_recipe(name, "smoke", out=tmp_path / "run", progress=False)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics == outcome.metrics
    assert {"bound_bits", "importance_bits", "rate", "latents_in_use", "frechet", "frechet_of_means"} <= set(
        metrics
    )
    assert (tmp_path / "run" / "samples.png").exists()


@pytest.fixture(scope="module")
def untrained():
    recipe = find_recipe("vae-digits", "smoke")
    assert isinstance(recipe, VAERecipe)
    return recipe, recipe.build(recipe.data("train"))["model"]


def test_held_out_bits_are_of_each_image_and_the_tighter_bound_is_lower(untrained):
    recipe, model = untrained
    bits = replace(recipe, importance=8).held_out_bits(model, gen())
    assert set(bits) == {"bound", "importance"}
    assert all(values.shape == (355,) for values in bits.values())
    assert (bits["importance"] <= bits["bound"] + 1e-5).all()
    assert 2.5 < bits["bound"].mean() < 5


def test_a_model_that_knows_nothing_costs_what_its_bins_say(untrained):
    """With weights of zero every pixel is standard normal and every code the prior."""
    from scipy.stats import norm

    recipe, model = untrained
    model = recipe.model(recipe.data("train"))
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    levels = to_levels(recipe.data("test").images, 17)
    edges = norm.cdf([-20.0, *[level / 8 - 1 + 1 / 16 for level in range(16)], 20.0])
    expected = -torch.from_numpy(edges[1:] - edges[:-1]).log2()[levels].mean((1, 2, 3)).float()
    bits = recipe.held_out_bits(model, gen())
    for values in bits.values():
        torch.testing.assert_close(values, expected, atol=1e-4, rtol=0)


def test_samples_have_stored_levels_and_means_lie_between(untrained):
    recipe, model = untrained
    to_levels(recipe.sample(model, 20, gen()), 17)  # refuses what lies between two
    byte = replace(recipe, dataset="mnist")  # an even number of levels: none at 0
    drawn = byte.sample(VAE((1, 4, 4), latents=recipe.latents, width=4), 20, gen())
    assert len(to_levels(drawn, 256).unique()) > 100
    assert drawn.abs().max() <= 1
    means = recipe.means(model, 20, gen())
    assert means.abs().max() <= 1
    many = torch.stack([recipe.sample(model, 1, gen(7)) for _ in range(2)])
    assert torch.equal(many[0], many[1])


def test_settings_that_cannot_be_are_refused():
    for field, value in {"latents": 0, "width": 0, "beta": -1.0, "importance": 0, "scored": 64}.items():
        with pytest.raises(ValueError, match=field):
            replace(find_recipe("vae-digits"), **{field: value})
