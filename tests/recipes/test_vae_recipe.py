"""The recipe of variational autoencoders: what a run leaves, its bits, and its samples' grey levels."""

import json
import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence

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


def test_the_loss_is_of_bins_and_beta_weighs_the_rate(untrained):
    """Two values of β differ by the rate; where nothing is known there is none, and any β costs the same."""
    recipe, model = untrained
    batch = (recipe.data("train").images[:40],)
    mean, log_variance = model.encode(batch[0])
    rate = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    one, six = (replace(recipe, beta=beta).loss()(model, batch, gen(2)) for beta in (1.0, 6.0))
    assert (six - one).item() == pytest.approx(5 * rate.mean().item() / 64, rel=1e-3)
    blank = recipe.model(recipe.data("train"))
    for parameter in blank.parameters():
        torch.nn.init.zeros_(parameter)
    edges = norm.cdf([-20.0, *[level / 8 - 1 + 1 / 16 for level in range(16)], 20.0])
    nats = -torch.from_numpy(edges[1:] - edges[:-1]).log()[to_levels(batch[0], 17)].mean().item()
    for beta in (1.0, 64.0):
        loss = replace(recipe, beta=beta).loss()(blank, batch, gen(3)).item()
        assert loss == pytest.approx(nats, rel=1e-4)


def test_levels_are_drawn_as_often_as_their_bins_say(untrained):
    recipe, _ = untrained
    model = recipe.model(recipe.data("train"))
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():  # every pixel from N(0.3, 0.5²), whatever the code
        model.decoder[-1].bias[:64], model.decoder[-1].bias[64:] = 0.3, 2 * math.log(0.5)
    edges = norm.cdf([-20.0, *[level / 8 - 1 + 1 / 16 for level in range(16)], 20.0], 0.3, 0.5)
    drawn = to_levels(recipe.sample(model, 1500, gen(4)), 17)
    share = torch.bincount(drawn.flatten(), minlength=17) / drawn.numel()
    torch.testing.assert_close(share.double(), torch.from_numpy(edges[1:] - edges[:-1]), atol=4e-3, rtol=0)
    mean = (torch.linspace(-1, 1, 17).double() @ torch.from_numpy(edges[1:] - edges[:-1])).item()
    assert recipe.means(model, 2, gen()).sub(mean).abs().max() < 1e-4


def test_the_rate_is_the_sum_over_latents_of_which_those_in_use_are_counted(untrained, monkeypatch):
    recipe, _ = untrained
    monkeypatch.setattr(VAERecipe, "scored_on", lambda self: None)
    model = recipe.model(recipe.data("train"))
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        model.encoder[-1].bias[:3] = torch.tensor([1.0, 0.3, 0.1])  # half of their squares is the rate
    scores = recipe.metrics(model, gen())
    assert scores["rate"] == pytest.approx((1 + 0.09 + 0.01) / 2, rel=1e-5)
    assert scores["latents_in_use"] == 2


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
