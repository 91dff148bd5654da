"""Characteristic functions u ↦ E exp(iux) on the line, and a noise that hides what two laws differ in.

The noise has the characteristic function (1 − |u|)₊, which vanishes outside [−1, 1] (`eq-dg-triangle`). Its
own law and the law on the multiples of π whose characteristic function goes on from it with period 2 agree
inside, and so can't be told apart behind it (`eq-dg-twins`).
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def characteristic(
    points: Float[Tensor, " k"], weights: Float[Tensor, " k"], u: Float[Tensor, " n"]
) -> Complex[Tensor, " n"]:
    """Σ_k w_k exp(i u x_k), of a law on the points x_k, or of a density by quadrature."""
    angle = u[:, None] * points
    return torch.complex((weights * angle.cos()).sum(1), (weights * angle.sin()).sum(1))


def triangle_density(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """(1 − cos x)/(πx²) = (sin(x/2)/(x/2))²/(2π), whose characteristic function is (1 − |u|)₊."""
    return torch.sinc(x / (2 * math.pi)).square() / (2 * math.pi)


def comb(most: int) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Points and weights of the law on πk: ½ at 0, 2/(πk)² at each odd k; those with |k| ≤ `most`.

    What is left out has a mass of about 2/(π² · most).
    """
    k = torch.arange(-most, most + 1, dtype=torch.float64)
    weights = torch.where(k % 2 == 1, 2 / (math.pi * k).square(), torch.zeros_like(k))
    weights[most] = 0.5
    keep = weights > 0
    return math.pi * k[keep], weights[keep]


def behind_triangle(y: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """2 (1 − sin y / y)/(πy²), the density of either law behind that noise (`eq-dg-twins`)."""
    small = y.abs() < 0.05
    safe = torch.where(small, torch.ones_like(y), y)
    far = 2 * (1 - safe.sin() / safe) / (math.pi * safe.square())
    near = (1 / 3 - y.square() / 60 + y.pow(4) / 2520) / math.pi  # the series of the same at 0
    return torch.where(small, near, far)
