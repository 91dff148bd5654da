"""Wasserstein games as recipes: whom clipping is for, and what is refused."""

from dataclasses import replace

import pytest
import torch

from gdmcourse.recipes import find_recipe

CLIPPED = find_recipe("wgan-digits", "smoke")


def sizes(network):
    return torch.cat([parameter.detach().abs().flatten() for parameter in network.parameters()])


def test_the_critic_is_clipped_and_the_generator_is_not():
    modules = replace(CLIPPED, steps=3, warmup=None).train(progress=False).modules
    assert sizes(modules["critic"]).max() <= CLIPPED.weight_bound
    assert (sizes(modules["critic"]) == CLIPPED.weight_bound).any()
    assert sizes(modules["generator"]).max() > CLIPPED.weight_bound


def test_another_game_needs_no_hold():
    assert replace(CLIPPED, weight_bound=None, objective="non-saturating").penalty is None


def test_a_penalised_critic_is_not_clipped():
    recipe = replace(find_recipe("wgan-gp-digits", "smoke"), steps=3, warmup=None)
    assert sizes(recipe.train(progress=False).modules["critic"]).max() > CLIPPED.weight_bound


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight_bound": 0.0}, "weight_bound must be above 0, or null, not 0.0"),
        ({"weight_bound": None}, "penalty must be set where weight_bound is null, not None"),
    ],
)
def test_settings_that_cannot_be_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(CLIPPED, **change)
