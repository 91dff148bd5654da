"""Recipes of autoregressive models: exact bits of the images that were stored, and samples of their shape."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from gdmcourse.data import load
from gdmcourse.data.levels import to_levels
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.autoregressive import AutoregressiveImages, nats_per_symbol
from tests.oracles import gen

IMAGES = ("made-digits", "pixelcnn-digits", "rowlstm-digits", "transformer-digits")


def untrained(name):
    recipe = find_recipe(name, "smoke")
    return recipe, recipe.build(recipe.data("train"))["model"].eval()


@pytest.mark.parametrize("name", IMAGES)
def test_bits_are_those_of_each_stored_test_image(name):
    """Against the sum over pixels, written out for one image."""
    recipe, model = untrained(name)
    assert isinstance(recipe, AutoregressiveImages)
    bits = recipe.held_out_bits(model, gen())["exact"]
    assert bits.shape == (355,)
    image = to_levels(load("digits", "test").images[7], 17)
    law = model(image.view(1, 64)).softmax(-1)[0].tolist()
    total = sum(
        math.log2(law[8 * row + column][image[0, row, column]])
        for row, column in itertools.product(range(8), repeat=2)
    )
    assert bits[7].item() == pytest.approx(-total / 64, rel=1e-4)
    assert recipe.metrics(model, gen()) == {"bits_exact": pytest.approx(bits.mean().item())}


@pytest.mark.parametrize("name", IMAGES)
def test_a_model_that_knows_nothing_pays_for_seventeen_levels(name):
    recipe, model = untrained(name)
    last = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    bits = recipe.held_out_bits(model, gen())["exact"]
    torch.testing.assert_close(bits, torch.full((355,), math.log2(17)))
    images = recipe.sample(model, 3, gen())
    assert images.shape == (3, 1, 8, 8)
    assert to_levels(images, 17).max() <= 16


def test_the_loss_is_the_mean_cost_of_a_symbol():
    _, model = untrained("made-digits")
    x = torch.randint(17, (3, 64), generator=gen())
    law = model(x).softmax(-1).tolist()
    cost = [-math.log(law[n][i][x[n, i]]) for n in range(3) for i in range(64)]
    assert nats_per_symbol(model, x, gen()).item() == pytest.approx(sum(cost) / len(cost), rel=1e-5)


def test_text_and_waves_are_scored_in_bits_a_symbol():
    for name, most in (("transformer-text", 6.5), ("wavenet-waves", 5.0)):
        recipe, model = untrained(name)
        metrics = recipe.metrics(model, gen())
        assert 3 < metrics["bits"] < most
    assert 2 < metrics["bits_of_the_law"] < 3
    assert recipe.figure(model, gen()) is not None


def test_colours_are_symbols_of_their_own():
    recipe = replace(find_recipe("pixelcnn-digits", "smoke"), width=9)
    model = recipe.network((3, 4, 4))
    assert model(torch.randint(17, (2, 48), generator=gen())).shape == (2, 48, 17)
