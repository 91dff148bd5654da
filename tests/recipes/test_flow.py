"""The recipes of flows: what is initialised, scored and drawn."""

import math
from dataclasses import replace

import pytest
import torch
from PIL import Image

from gdmcourse.data.levels import bits_per_dim, dequantise, to_levels
from gdmcourse.likelihood import ActNorm
from gdmcourse.recipes import find_recipe
from tests.oracles import gen


@pytest.fixture(scope="module")
def digits():
    """An untrained flow on digits, set on the first batch."""
    recipe = replace(find_recipe("flow-digits", "smoke"), draws=8)
    return recipe, recipe.build(recipe.data("train"))["model"].eval()


def test_a_flow_starts_on_its_data_and_the_same_each_time(digits):
    recipe, model = digits
    train = recipe.data("train")
    again = recipe.build(train)["model"]
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)
    x, seen = dequantise(train.images, 17, gen(3)).flatten(1), 0
    for layer in model.layers:
        x, _ = layer(x)
        if isinstance(layer, ActNorm):
            seen += 1
            assert x.mean(0).abs().max() < 0.15
            assert (x.std(0) - 1).abs().max() < 0.15
    assert seen == 2


@torch.no_grad()
def test_held_out_bits_are_one_draw_and_the_mean_of_the_densities_of_all(digits):
    recipe, model = digits
    found = recipe.held_out_bits(model, gen(1))
    images, rng = recipe.data("test").images, gen(1)
    log_p = torch.stack([model.log_prob(dequantise(images, 17, rng).flatten(1)) for _ in range(8)]).double()
    assert found["bound"].shape == found["importance"].shape == (355,)
    torch.testing.assert_close(found["bound"], bits_per_dim(log_p[0], 64, levels=17).float())
    mean = log_p.logsumexp(0) - math.log(8)
    expected = bits_per_dim(mean, 64, levels=17).float()
    torch.testing.assert_close(found["importance"], expected, rtol=1e-4, atol=1e-4)
    scores = recipe.metrics(model, gen(1))
    assert scores["bound_bits"] == pytest.approx(found["bound"].mean().item(), abs=1e-5)
    assert scores["importance_bits"] <= scores["bound_bits"]


def test_the_loss_is_the_bits_of_a_batch_with_fresh_noise(digits):
    recipe, model = digits
    loss, batch = recipe.loss(), (recipe.data("train").images[:50],)
    rng = gen(4)
    first, second = (loss(model, batch, rng).item() for _ in range(2))
    assert first != second
    x = dequantise(batch[0], 17, gen(4)).flatten(1)
    assert first == pytest.approx(bits_per_dim(model.log_prob(x), 64, levels=17).mean().item(), abs=1e-4)


def test_drawn_digits_have_the_stored_levels(digits):
    recipe, model = digits
    images = recipe.sample(model, 20, gen(2))
    assert images.shape == (20, 1, 8, 8)
    assert len(to_levels(images, 17).unique()) > 5
    many = to_levels(recipe.sample(model, 1000, gen(3)), 17).double()  # a new flow draws from histograms
    assert (many.mean() - to_levels(recipe.data("train").images, 17).double().mean()).abs() < 0.1


def test_a_folder_of_images_has_256_levels(tmp_path):
    pixels = torch.randint(256, (12, 8, 8), generator=gen(5), dtype=torch.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image.numpy()).save(tmp_path / f"{index}.png")
    recipe = find_recipe("flow-digits", "smoke").with_images(tmp_path, None)
    train = recipe.data("train")
    model = recipe.build(train)["model"].eval()
    assert model.layers[0].chance.shape == (64, 256)
    x = recipe.pixels(train.images, gen(6))
    assert 0 < (x - train.images.flatten(1)).abs().max() <= 1 / 255 + 1e-6
    expected = bits_per_dim(model.log_prob(x), 64, levels=256)
    torch.testing.assert_close(recipe.bits(model, x), expected)
    assert len(to_levels(recipe.sample(model, 4, gen(7)), 256).unique()) > 20


def test_the_toys_score_is_minus_the_mean_log_likelihood():
    recipe = find_recipe("flow-toy", "smoke")
    train = recipe.data("train")
    model = recipe.build(train)["model"]
    test = recipe.data("test")
    normal = torch.distributions.Normal(train.mean(0), train.std(0, correction=0))  # as a new flow starts
    expected = -normal.log_prob(test).sum(1).mean().item()
    assert recipe.metrics(model, gen())["nats"] == pytest.approx(expected, abs=1e-4)
    assert recipe.loss()(model, test, gen()).item() == pytest.approx(expected, abs=1e-4)
    assert recipe.figure(model, gen()) is not None
