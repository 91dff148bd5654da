"""Operations are counted, gradients of gradients too."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gdmcourse.recipes import find_recipe
from gdmcourse.training.flops import operations, step_flops


def test_a_product_forth_and_back():
    layer, x = nn.Linear(5, 7, bias=False), torch.randn(3, 5)
    with operations() as counter:
        layer(x).sum().backward()
    assert counter.get_total_flops() == 2 * (2 * 3 * 5 * 7)  # forth, and the gradient of the weights


def test_a_gradient_of_a_gradient_counts():
    layer, x = nn.Linear(4, 1, bias=False), torch.randn(6, 4, requires_grad=True)
    with operations() as counter:
        (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        slope.square().sum().backward()
    assert counter.get_total_flops() > 2 * 6 * 4 * 3


def test_a_penalty_costs_operations_and_a_lazy_one_fewer():
    base = find_recipe("r3gan-digits", "smoke")
    train = base.data("train")
    plain = step_flops(replace(base, penalty=None, objective="non-saturating"), train)
    every = step_flops(replace(base, objective="non-saturating"), train)
    lazy = step_flops(replace(base, objective="non-saturating", penalty_every=4), train)
    assert plain < lazy < every
    assert lazy == pytest.approx(plain + (every - plain) / 4, rel=0.01)


def test_twice_the_batch_costs_twice():
    base = find_recipe("vae-digits", "smoke")
    train = base.data("train")
    assert step_flops(replace(base, batch_size=16), train) == 2 * step_flops(
        replace(base, batch_size=8), train
    )
