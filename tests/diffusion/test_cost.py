"""The cost model against torch's own counter, which watches the operations as they run."""

import pytest
import torch
from torch import nn

from gdmcourse.diffusion.cost import attention_cost, convolution_cost, multiplications
from gdmcourse.nn import UNet
from gdmcourse.nn.attention import Attention


@pytest.mark.equation("eq-convolution-cost")
@pytest.mark.parametrize(
    ("side", "kernel", "stride"), [(8, 3, 1), (16, 3, 1), (8, 1, 1), (16, 3, 2), (12, 5, 1)]
)
def test_a_convolution_costs_what_the_formula_says(side, kernel, stride):
    layer = nn.Conv2d(3, 7, kernel, stride=stride, padding=kernel // 2)
    out = side // stride
    assert multiplications(layer, torch.randn(1, 3, side, side)) == convolution_cost(out, out, 3, 7, kernel)
    assert multiplications(layer, torch.randn(4, 3, side, side)) == 4 * convolution_cost(
        out, out, 3, 7, kernel
    )


@pytest.mark.equation("eq-attention-cost")
@pytest.mark.parametrize(("side", "channels", "head_dim"), [(4, 32, 32), (8, 32, 8), (16, 16, 16)])
def test_self_attention_costs_what_the_formula_says(side, channels, head_dim):
    layer, x = Attention(channels, head_dim=head_dim), torch.randn(1, channels, side, side)
    assert multiplications(layer, x) == attention_cost(side**2, channels)


@pytest.mark.equation("eq-attention-cost")
def test_cross_attention_costs_what_the_formula_says():
    layer = Attention(32, context_dim=20)
    x, context = torch.randn(1, 32, 8, 8), torch.randn(1, 5, 20)
    assert multiplications(layer, x, context) == attention_cost(64, 32, tokens=5, token_dim=20)


@pytest.mark.equation("eq-cost-of-the-side")
def test_halving_the_side_costs_a_quarter_of_convolutions_and_a_sixteenth_of_the_scores():
    """Of a whole U-Net: what is quadratic and quartic in the side is told apart by three sides."""
    without = UNet(1, width=16, multipliers=(1, 2), attention=())
    few, many = (multiplications(without, torch.randn(1, 1, s, s), torch.tensor([5])) for s in (8, 16))
    embedding = 128 * 128 * 2 + sum(m.in_features * m.out_features for b in without.modules()
                                    if (m := getattr(b, "inject", None)) is not None)  # fmt: skip
    assert many - embedding == 4 * (few - embedding)
    attentive = UNet(1, width=16, multipliers=(1, 2), attention=(0,))
    extra = [
        multiplications(attentive, torch.randn(1, 1, s, s), torch.tensor([5]))
        - multiplications(without, torch.randn(1, 1, s, s), torch.tensor([5]))
        for s in (8, 16)
    ]
    scores = [2 * s**4 * 16 for s in (8, 16)]
    assert scores[1] == 16 * scores[0]
    assert extra[1] - scores[1] == 4 * (extra[0] - scores[0])
