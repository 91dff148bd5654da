"""A layer with an equalised learning rate: 1/√inputs multiplies at run time and not at the start."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear


def activate(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """A leaky ReLU times √2, which leaves the mean square of standard normal inputs near 1 (it is 1.04)."""
    return math.sqrt(2) * leaky_relu(x, 0.2)


class EqualisedLinear(nn.Module):
    """A linear layer whose weights are standard normal numbers times 1/√inputs (Karras et al. 2018).

    The book's equation `eq-style-equalised`. Its bias begins at `bias`.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.constant = 1 / math.sqrt(inputs)

    def forward(self, x: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        """The layer's outputs."""
        return linear(x, self.constant * self.weight, self.bias)
