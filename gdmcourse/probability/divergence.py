"""Divergences between densities on the line, by quadrature, in nats.

A density is given by the logarithm of it: a function from points (N,) to log densities (N,), such as
`GaussianMixture.log_prob_1d`. The grid is an increasing tensor of points, and the trapezoid rule does the
rest; give it in float64. Every function raises ValueError when the grid does not increase or does not hold
the whole mass of a density (to 0.001): a quadrature that misses mass is wrong and shows no sign of it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.probability import terms

Grid = Float[Tensor, " n"]
LogDensity = Callable[[Tensor], Tensor]


def on_grid(log_p: LogDensity, log_q: LogDensity, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Both log densities at the grid's points; raises ValueError for a grid that can't hold them."""
    if len(grid) < 2 or not (grid.diff() > 0).all():
        raise ValueError("the grid must be at least two points in increasing order")
    values = log_p(grid), log_q(grid)
    for name, value in zip(("p", "q"), values, strict=True):
        mass = torch.trapezoid(value.exp(), grid).item()
        if not abs(mass - 1) <= 1e-3:
            raise ValueError(f"{name} has mass {mass:.4g} on this grid, not 1: make it wider or finer")
    return values


def kl(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """KL(p‖q) = ∫ p log(p/q), infinite where p has mass and q has none (`def-kl`)."""
    return torch.trapezoid(terms.kl(*on_grid(log_p, log_q, grid)), grid)


def js(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, between 0 and log 2 (`def-js`)."""
    return torch.trapezoid(terms.js(*on_grid(log_p, log_q, grid)), grid)


def total_variation(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """TV(p, q) = ½ ∫ |p − q|, between 0 and 1 (`def-tv`)."""
    return torch.trapezoid(terms.total_variation(*on_grid(log_p, log_q, grid)), grid)


def hellinger(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """The Hellinger distance (½ ∫ (√p − √q)²)^½, between 0 and 1."""
    return torch.trapezoid(terms.squared_hellinger(*on_grid(log_p, log_q, grid)), grid).sqrt()


def chi_squared(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """χ²(p‖q) = ∫ (p − q)²/q, infinite where p has mass and q has none."""
    return torch.trapezoid(terms.chi_squared(*on_grid(log_p, log_q, grid)), grid)


def f_divergence(
    f: Callable[[Tensor], Tensor], log_p: LogDensity, log_q: LogDensity, grid: Grid
) -> Float[Tensor, ""]:
    """D_f(p‖q) = ∫ q f(p/q) for a convex f on (0, ∞) with f(1) = 0 (`def-f-divergence`).

    Raises ValueError when f(1) is not 0: the result would not vanish for p = q.
    """
    at_one = f(torch.ones(1, dtype=grid.dtype, device=grid.device)).item()
    if not abs(at_one) <= 1e-6:
        raise ValueError(f"the generator of an f-divergence needs f(1) = 0, but f(1) = {at_one:.4g}")
    return torch.trapezoid(terms.f_divergence(f, *on_grid(log_p, log_q, grid)), grid)


def w1(log_p: LogDensity, log_q: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """The 1-Wasserstein distance ∫ |F − G| from the two distribution functions (`eq-w1-cdf`)."""
    log_p_values, log_q_values = on_grid(log_p, log_q, grid)
    gap = torch.cumulative_trapezoid(log_p_values.exp() - log_q_values.exp(), grid)
    return torch.trapezoid(torch.cat([gap.new_zeros(1), gap]).abs(), grid)


def js_generator(u: Tensor) -> Tensor:
    """f(u) = ½ [u log u − (u + 1) log((u + 1)/2)], whose f-divergence is JS (`eq-js-generator`)."""
    return 0.5 * (torch.xlogy(u, u) - (u + 1) * ((u + 1) / 2).log())
