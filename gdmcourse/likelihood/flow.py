"""Normalizing flows: invertible layers with known log-determinants, stacked over a normal law (RealNVP).

A layer takes data towards noise: `forward(x)` gives (z, log |det ∂z/∂x|), and `inverse(z)` gives x again and
log |det ∂x/∂z|, in nats and one for each row. What is learnt from data and not by gradients, a layer sets in
`initialise(x)`.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

WithLogDet = tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]


class AffineCoupling(nn.Module):
    """Keeps the coordinates of `kept`, and stretches and shifts the others by what a network makes of them.

    z_A = x_A and z_B = exp(a(x_A)) x_B + b(x_A), where |a| < `largest`. The network has `depth` hidden layers
    and starts at a = b = 0, so that the layer starts as the identity. With `dropout` a layer in training mode
    is another at each call: `inverse` undoes `forward` only after `eval()`. Raises ValueError for a `kept`
    that isn't a mask of some coordinates and not all, for a width or bound that isn't above 0, and for points
    of other coordinates. Source: `def-coupling`, `eq-coupling-log-det`, `eq-coupling-inverse`.
    """

    order: Tensor
    back: Tensor

    def __init__(
        self,
        kept: Shaped[Tensor, " d"],
        width: int,
        *,
        depth: int = 2,
        dropout: float = 0.0,
        largest: float = 2.0,
    ) -> None:
        super().__init__()
        if kept.dtype != torch.bool:
            raise ValueError(f"`kept` is a mask of true and false, not of {kept.dtype}; write kept.bool()")
        a, b = kept.nonzero().flatten(), (~kept).nonzero().flatten()
        if not (len(a) and len(b)):
            raise ValueError(
                "a coupling layer keeps some coordinates and moves some; `kept` is all one or other"
            )
        if width < 1 or not largest > 0:
            raise ValueError(f"width must be at least 1 and `largest` above 0, not {width} and {largest}")
        self.largest = largest
        self.sizes = [len(a), len(b)]
        self.register_buffer("order", torch.cat([a, b]))
        self.register_buffer("back", self.order.argsort())
        hidden: list[nn.Module] = []
        sizes = [len(a), *[width] * depth]
        for inputs, outputs in pairwise(sizes):
            hidden += [nn.Linear(inputs, outputs), nn.ReLU(), *[nn.Dropout(dropout)] * (dropout > 0)]
        last = nn.Linear(sizes[-1], 2 * len(b))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(*hidden, last)

    def log_scale_and_shift(
        self, kept: Float[Tensor, "n a"]
    ) -> tuple[Float[Tensor, "n b"], Float[Tensor, "n b"]]:
        """a(x_A) and b(x_A)."""
        raw, shift = self.network(kept).to(kept).chunk(2, dim=1)
        return raw / (1 + raw.abs() / self.largest), shift

    def forward(self, x: Float[Tensor, "n d"]) -> WithLogDet:
        """z and Σ a(x_A)."""
        kept, moved = self._divided(x)
        log_scale, shift = self.log_scale_and_shift(kept)
        moved = moved * log_scale.exp() + shift
        return torch.cat([kept, moved], dim=1).index_select(1, self.back), log_scale.sum(1)

    def inverse(self, z: Float[Tensor, "n d"]) -> WithLogDet:
        """x and −Σ a(z_A); the network is asked forwards, at what the layer has kept."""
        kept, moved = self._divided(z)
        log_scale, shift = self.log_scale_and_shift(kept)
        moved = (moved - shift) * (-log_scale).exp()
        return torch.cat([kept, moved], dim=1).index_select(1, self.back), -log_scale.sum(1)

    def _divided(self, points: Float[Tensor, "n d"]) -> tuple[Tensor, Tensor]:
        """What is kept, and what is moved."""
        _check(points, sum(self.sizes), "layer")  # more coordinates would be lost without a word
        kept, moved = points.index_select(1, self.order).split(self.sizes, dim=1)
        return kept, moved


class ActNorm(nn.Module):
    """Stretches and shifts each coordinate by numbers of its own, z = exp(a) x + b.

    After Kingma and Dhariwal (2018). Source: `eq-actnorm`.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    @torch.no_grad()
    def initialise(self, x: Float[Tensor, "n d"]) -> None:
        """Give z mean 0 and variance 1 on this batch; raises ValueError where one never varies."""
        _check(x, len(self.shift), "layer")
        if len(x) == 0:
            raise ValueError("a batch without rows has no mean; give some")
        std = x.std(0, correction=0)
        for index in (~(std > 0)).nonzero().flatten().tolist():
            raise ValueError(
                f"coordinate {index} has one value in the whole batch, or one that isn't a number, so no "
                "factor gives it variance 1; dequantise the data, or give a larger batch"
            )
        self.log_scale.copy_(-std.log())
        self.shift.copy_(-x.mean(0) / std)

    def forward(self, x: Float[Tensor, "n d"]) -> WithLogDet:
        """z and Σ a."""
        return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))

    def inverse(self, z: Float[Tensor, "n d"]) -> WithLogDet:
        """x and −Σ a."""
        return (z - self.shift) * (-self.log_scale).exp(), -self.log_scale.sum().expand(len(z))


class Permutation(nn.Module):
    """Puts the coordinates into another order: z_i = x_{order[i]}, whose |det| is 1."""

    order: Tensor
    back: Tensor

    def __init__(self, order: Int64[Tensor, " d"]) -> None:
        super().__init__()
        if not torch.equal(order.sort().values, torch.arange(len(order), device=order.device)):
            raise ValueError(f"an order names each of the coordinates 0 … {len(order) - 1} once")
        self.register_buffer("order", order)
        self.register_buffer("back", order.argsort())

    def forward(self, x: Float[Tensor, "n d"]) -> WithLogDet:
        """z and 0."""
        return x.index_select(1, self.order), x.new_zeros(len(x))

    def inverse(self, z: Float[Tensor, "n d"]) -> WithLogDet:
        """x and 0."""
        return z.index_select(1, self.back), z.new_zeros(len(z))


class Flow(nn.Module):
    """Layers one after the other, from data of `dim` coordinates to standard normal noise.

    Raises ValueError for points of another dimension, which a layer might stretch or cut to its own. Source:
    `eq-flow-composition`, `eq-flow-density`.
    """

    def __init__(self, layers: Iterable[nn.Module], dim: int) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList(layers)
        self.dim = dim

    @torch.no_grad()
    def initialise(self, x: Float[Tensor, "n d"]) -> None:
        """Let each layer that learns from data see this batch, as the layers below it pass it on."""
        self._check(x)
        for layer in self.layers:
            initialise = getattr(layer, "initialise", None)
            if callable(initialise):
                initialise(x)
            x, _ = layer(x)

    def forward(self, x: Float[Tensor, "n d"]) -> WithLogDet:
        """The noise z that x comes from, and log |det ∂z/∂x|."""
        self._check(x)
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Float[Tensor, "n d"]) -> WithLogDet:
        """The x that comes from the noise z, and log |det ∂x/∂z|."""
        self._check(z)
        total = z.new_zeros(len(z))
        for layer in reversed(self.layers):
            z, log_det = layer.inverse(z)
            total = total + log_det
        return z, total

    def log_prob(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """log p(x) in nats."""
        z, log_det = self(x)
        return log_det - 0.5 * (z.square().sum(1) + self.dim * math.log(2 * math.pi))

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n d"]:
        """`n` points, on the device of `rng` and in the precision of the weights."""
        dtype = next((weights.dtype for weights in self.parameters()), None)
        return self.inverse(torch.randn(n, self.dim, generator=rng, device=rng.device, dtype=dtype))[0]

    def _check(self, points: Tensor) -> None:
        _check(points, self.dim, "flow")


def _check(points: Tensor, dim: int, what: str) -> None:
    if points.ndim != 2 or points.shape[1] != dim:
        raise ValueError(f"this {what} is one of {dim} coordinates, not of points {tuple(points.shape)}")


def real_nvp(
    dim: int, *, blocks: int, width: int, depth: int = 2, dropout: float = 0.0, rng: torch.Generator
) -> list[nn.Module]:
    """The layers of a RealNVP (Dinh et al. 2017) of `blocks` blocks; `rng`, on the CPU, draws their orders.

    A block is ActNorm, a permutation, and two couplings: the first keeps the first half of the coordinates
    and moves the others, the second does the opposite. Raises ValueError for fewer than two coordinates.
    """
    if dim < 2:
        raise ValueError(f"a coupling layer needs at least 2 coordinates, not {dim}")
    first = torch.arange(dim, device="cpu") < dim // 2
    layers: list[nn.Module] = []
    for _ in range(blocks):
        layers += [ActNorm(dim), Permutation(torch.randperm(dim, generator=rng, device="cpu"))]
        layers += [AffineCoupling(kept, width, depth=depth, dropout=dropout) for kept in (first, ~first)]
    return [*layers, ActNorm(dim)]
