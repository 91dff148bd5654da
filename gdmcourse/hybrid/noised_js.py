"""How far two laws are apart behind noise: Jensen–Shannon divergences in nats, by quadrature."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.hybrid.diffusion_gan import check_weights
from gdmcourse.probability.divergence import Grid, LogDensity, js

REACH, POINTS = 12.0, 2001


def expected_js(
    log_p: Sequence[LogDensity], log_g: Sequence[LogDensity], weights: Float[Tensor, " times"], grid: Grid
) -> Float[Tensor, ""]:
    """E_t JS(p_t, g_t) = Σ π_t JS(p_t, g_t) for densities on the line at the times 0 … T (`eq-dg-value`).

    What has no weight isn't looked at. Raises ValueError for weights that don't sum to one or never draw time
    1, for another number of densities, and for a grid that doesn't hold the mass.
    """
    check_weights(weights)
    if not len(log_p) == len(log_g) == len(weights):
        raise ValueError(
            f"give a density for each of {len(weights)} times, not {len(log_p)} and {len(log_g)}"
        )
    drawn = [(w, p, g) for w, p, g in zip(weights, log_p, log_g, strict=True) if w > 0]
    return torch.stack([w * js(p, g, grid) for w, p, g in drawn]).sum()


def points_js(delta: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """J(δ) = JS(N(0, 1), N(δ, 1)): two points behind noise, δ standard deviations apart (`eq-dg-points`).

    In any dimension; δ in float64. J rises from 0 to log 2.
    """
    w, density = _standard_normal()
    ratio = delta[:, None] * w - delta[:, None].square() / 2  # log of the second density over the first
    return torch.log(torch.tensor(2.0).double()) - torch.trapezoid(
        density * torch.nn.functional.softplus(ratio), w
    )


def points_js_slope(delta: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """J′(δ) = ½ δ E D*(w + δ) = ¼ δ e^{−δ²/8} E 1/cosh(½ δw), from between the bells (`eq-dg-points`)."""
    w, density = _standard_normal()
    apart = torch.trapezoid(density / torch.cosh(delta[:, None] * w / 2), w)
    return delta / 4 * (-delta.square() / 8).exp() * apart


def _standard_normal() -> tuple[Tensor, Tensor]:
    w = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    return w, torch.distributions.Normal(0.0, 1.0).log_prob(w).exp()
