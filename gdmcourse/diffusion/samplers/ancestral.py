"""Ancestral sampling: draw each x_s from a Gaussian around the posterior mean, as DDPM does."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.samplers.times import Level, normal_like, split_noise, variance_added, walk
from gdmcourse.diffusion.schedule import Schedule


def ancestral_mean(x_t: Tensor, x0: Tensor, t: Level, s: Level) -> Tensor:
    """Mean of q(x_s | x_t, x_0), for any two times s < t. Source: `eq-posterior-mean`."""
    beta, kept = variance_added(s, t), t.signal / s.signal
    return (s.signal * beta * x0 + kept * s.sigma**2 * x_t) / t.sigma**2


def ancestral_variances(t: Level, s: Level) -> tuple[float, float]:
    """Two fixed choices for σ²: the posterior's β̃ (small, 0 at s = 0), the forward step's β (large)."""
    beta = variance_added(s, t)
    return beta * s.sigma**2 / t.sigma**2, beta


@torch.no_grad()
def ancestral(
    denoiser: Denoiser,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[int],
    *,
    y: Tensor | None = None,
    generator: torch.Generator | None = None,
    variance: str = "small",
    clip: float | None = None,
) -> Tensor:
    """Walk `times` from noise x_T by x_s = μ(x_t, x̂_0) + σ z with z ~ N(0, I), and no noise on the step to 0.

    `variance` is σ²: the posterior's β̃ ("small"), the forward step's β ("large"), or "learned", where
    the denoiser gives twice the channels, (ε̂, v), and log σ² goes from log β̃ to log β as v goes from −1
    to 1. With `clip` x̂_0 is kept in [−clip, clip]. Returns x at the last time. Raises ValueError for
    another `variance`. Source: `eq-ancestral-step` (Ho et al. 2020), `def-learned-variance` (Nichol and
    Dhariwal 2021).
    """
    if variance not in ("small", "large", "learned"):
        raise ValueError(f'variance is "small", "large" or "learned", not {variance!r}')
    x = x_T
    for t, s in walk(schedule, times):
        output = denoiser(x, torch.full((len(x),), t.t, device=x.device), y)
        noise, mix = output.chunk(2, dim=1) if variance == "learned" else (output, None)
        x0, _ = split_noise(x, noise, t, clip)
        x = ancestral_mean(x, x0, t, s)
        if s.t > 0:
            small, large = ancestral_variances(t, s)
            std: float | Tensor = math.sqrt(large if variance == "large" else small)
            if mix is not None:
                std = std * (large / small) ** ((mix + 1) / 4)
            x = x + std * normal_like(x, generator)
    return x
