"""The best discriminator there is, and the value of the game, where both densities are known.

On the line a density is given by its logarithm, a function from points (N,) to log densities (N,), as in
`gdmcourse.probability.divergence`. From samples alone the value is −`discriminator_loss` of their logits.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from gdmcourse.probability.divergence import Grid, LogDensity, on_grid

Logit = Callable[[Tensor], Tensor]  # points (N,) → logits (N,), of which D is the logistic function


def optimal_logit(log_p: LogDensity, log_g: LogDensity) -> Logit:
    """The logit log p − log p_g of the best discriminator of data p and generated p_g (`eq-optimal-logit`).

    The laws may have any dimension: what is given to the logit is handed to both. Where both densities
    vanish, the game doesn't say what D should be, and the logit is 0.
    """

    def logit(x: Tensor) -> Tensor:
        real, fake = log_p(x), log_g(x)
        nowhere = (real == -torch.inf) & (fake == -torch.inf)
        return torch.where(nowhere, 0.0, real - fake)

    return logit


def game_value(logit: Logit, log_p: LogDensity, log_g: LogDensity, grid: Grid) -> Float[Tensor, ""]:
    """V(D, G) = ∫ p log D + p_g log(1 − D) for D = σ(logit), in nats, by quadrature (`def-gan-value`).

    Raises ValueError for a grid that doesn't hold the whole mass of both.
    """
    log_real, log_fake = on_grid(log_p, log_g, grid)
    f = logit(grid)
    return torch.trapezoid(_reward(log_real, logsigmoid(f)) + _reward(log_fake, logsigmoid(-f)), grid)


def _reward(log_mass: Tensor, answer: Tensor) -> Tensor:
    """Mass times the logarithm of an answer; multiplied as logarithms, since a mass may underflow to 0."""
    # A sure discriminator pays nothing where there is no mass, though its logarithm is infinite there.
    return torch.where(log_mass == -torch.inf, 0.0, -(log_mass + (-answer).log()).exp())
