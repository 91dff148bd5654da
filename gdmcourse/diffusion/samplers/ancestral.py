"""Ancestral sampling: draw each x_s from a Gaussian around the posterior mean, as DDPM does."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.forward import posterior_variance, posterior_weights
from gdmcourse.diffusion.noise_level import NoiseLevel, variance_added
from gdmcourse.diffusion.samplers.times import OnStep, Randomness, normal_like, split_noise, walk
from gdmcourse.diffusion.schedule import Schedule


def ancestral_mean(x_t: Tensor, x0: Tensor, t: NoiseLevel, s: NoiseLevel) -> Tensor:
    """Mean of q(x_s | x_t, x_0), for any two times s < t. Source: `eq-posterior-mean`."""
    added, kept = variance_added(s, t), t.signal / s.signal
    of_x0, of_xt = posterior_weights(s.signal, kept, added, s.sigma**2, t.sigma**2)
    return of_x0 * x0 + of_xt * x_t


def ancestral_variances(t: NoiseLevel, s: NoiseLevel) -> tuple[float, float]:
    """Two fixed choices for σ²: the posterior's β̃ (small, 0 at s = 0), the forward step's β (large)."""
    added = variance_added(s, t)
    return posterior_variance(added, s.sigma**2, t.sigma**2), added


@torch.no_grad()
def ancestral(
    denoiser: Denoiser,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[int],
    *,
    y: Tensor | None = None,
    generator: Randomness = None,
    on_step: OnStep | None = None,
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
        if on_step:
            on_step(s.t, x)
    return x
