"""Games with labels as recipes: which labels are asked for, what is paid for them, and refusals."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gdmcourse.recipes import find_recipe
from gdmcourse.training.player import Turn
from tests.recipes.stand_in import stand_in


class Listening(nn.Module):
    """A generator of grey images that notes the labels it is asked for."""

    def forward(self, z, y):
        self.asked = y
        return z.new_zeros(len(z), 1, 8, 8)


class Sure(nn.Module):
    """A critic that says what it was built with: a logit of being real of what is grey, and one for label 3.

    A white image has 2 more.
    """

    def __init__(self, real: float, three: float) -> None:
        super().__init__()
        self.real, self.three = real, three

    def forward(self, x):
        labels = x.new_zeros(len(x), 10)
        labels[:, 3] = self.three
        return self.real + 2 * x.flatten(1).mean(1), labels


def turn():
    return Turn(1, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_both_players_of_an_acgan_pay_for_labels_that_can_t_be_read(weight):
    recipe = replace(find_recipe("acgan-digits", "smoke"), penalty=None, label_weight=weight)
    batch = torch.ones(4, 1, 8, 8), torch.tensor([3, 3, 3, 7])
    networks = SimpleNamespace(generator=Listening(), critic=Sure(0.5, 2.0))
    normaliser = math.log(math.exp(2) + 9)
    unread = (3 * (normaliser - 2) + normaliser) / 4  # −log C of the four labels, on average
    D, of_real = (1 / (1 + math.exp(-logit)) for logit in (0.5, 2.5))
    critic = recipe.critic_loss(networks, batch, turn()).item()
    assert critic == pytest.approx(-math.log(of_real) - math.log(1 - D) + weight * 2 * unread, rel=1e-5)
    generator = recipe.generator_loss(networks, batch, turn()).item()
    assert generator == pytest.approx(-math.log(D) + weight * unread, rel=1e-5)
    assert torch.equal(networks.generator.asked, batch[1])


def test_the_critic_of_pairs_is_told_the_labels_that_the_generator_was_asked_for():
    recipe = replace(find_recipe("projection-digits", "smoke"), penalty=None)
    batch, heard = (torch.ones(3, 1, 8, 8), torch.tensor([1, 5, 9])), []

    def critic(x, y):
        heard.append(y)
        return x.flatten(1).mean(1) * 3  # 3 for the real ones, 0 for the grey ones

    networks = SimpleNamespace(generator=Listening(), critic=critic)
    assert recipe.critic_loss(networks, batch, turn()).item() == pytest.approx(1)  # max(0, 1 + 0), hinge
    assert all(torch.equal(y, batch[1]) for y in heard)
    assert torch.equal(networks.generator.asked, batch[1])


def test_wrong_labels_are_a_share_of_the_training_labels_and_the_same_for_every_seed():
    recipe = replace(find_recipe("acgan-digits"), label_noise=0.3)
    train = recipe.data("train")
    noisy = recipe.tensors(train)[1]
    right = (noisy == train.labels).double().mean().item()
    assert right == pytest.approx(0.73, abs=0.04)
    assert torch.equal(replace(recipe, seed=5).tensors(train)[1], noisy)
    assert torch.equal(replace(recipe, label_noise=0.0).tensors(train)[1], train.labels)


def test_the_network_of_the_source_takes_small_photographs_as_large_ones():
    recipe = find_recipe("acgan-64", "gpu")
    assert recipe.shape() == (3, 64, 64)
    assert (recipe.noise_dim, recipe.join) == (100, "product")
    data = stand_in("cifar10", 4)
    real = recipe.real((data.images, data.labels))
    assert real.shape == (4, 3, 64, 64)
    blocks = real.unflatten(2, (32, 2)).unflatten(4, (32, 2)).mean((3, 5))
    # Enlarged and not changed: a block of four pixels lies between the pixel and its neighbours.
    assert (blocks - data.images).abs().mean() < 0.5 * data.images.abs().mean()
    assert real.amax() <= 1


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("cgan-digits", {"join": "sum"}, "join must be one of: concat, product"),
        ("cgan-digits", {"label_noise": 1.5}, "label_noise must be in"),
        ("cgan-digits", {"zoom": 0}, "zoom must be at least 1"),
        ("acgan-digits", {"label_weight": -1.0}, "label_weight must be at least 0"),
        ("projection-digits", {"critic_norm": "batch"}, "build the critic without batch norm"),
        ("acgan-digits", {"batch_size": 1}, "batch norm needs at least two examples"),
    ],
)
def test_settings_that_cannot_be_are_named(name, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(find_recipe(name, "smoke"), **change).train(progress=False)


def test_the_figure_has_a_column_for_each_label():
    recipe = find_recipe("cgan-digits", "smoke")
    model = recipe.build(recipe.data("train"))["generator"].eval()
    width, height = recipe.figure(model, torch.Generator().manual_seed(0)).get_size_inches()
    assert width / height == pytest.approx((10 * 9 + 1) / (6 * 9 + 1), rel=0.01)
    assert recipe.in_turn(12).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
