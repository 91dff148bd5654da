"""DDIM: a family of samplers with the same marginals, deterministic at η = 0 and ancestral at η = 1."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.noise_level import NoiseLevel, variance_added
from gdmcourse.diffusion.samplers.times import OnStep, Randomness, normal_like, predict, walk
from gdmcourse.diffusion.schedule import Schedule


def ddim_sigma(t: NoiseLevel, s: NoiseLevel, eta: float) -> float:
    """σ = η √((1 − ᾱ_s)/(1 − ᾱ_t)) √(1 − ᾱ_t/ᾱ_s), the noise of a step t to s (`def-ddim-sigma`)."""
    return eta * s.sigma / t.sigma * math.sqrt(variance_added(s, t))


def ddim_step(x0: Tensor, noise: Tensor, s: NoiseLevel, sigma: float, z: Tensor | None = None) -> Tensor:
    """x_s = √ᾱ_s x̂_0 + √(1 − ᾱ_s − σ²) ε̂ + σ z; without z no noise is added. Source: `eq-ddim-step`."""
    x_s = s.signal * x0 + math.sqrt(max(0.0, s.sigma**2 - sigma**2)) * noise
    return x_s if z is None else x_s + sigma * z


@torch.no_grad()
def ddim(
    denoiser: Denoiser,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[int],
    *,
    y: Tensor | None = None,
    generator: Randomness = None,
    on_step: OnStep | None = None,
    eta: float = 0.0,
    clip: float | None = None,
) -> Tensor:
    """Walk `times` from noise x_T by DDIM steps of stochasticity `eta` ≥ 0; at 0 no random number is drawn.

    With `clip` x̂_0 is kept in [−clip, clip] and ε̂ is worked out again from it. Returns x at the last
    time. Raises ValueError if `eta` asks for more noise than the marginals leave room for (more than 1
    may). Source: `eq-ddim-step` (Song et al. 2021).
    """
    x = x_T
    for t, s in walk(schedule, times):
        x0, noise = predict(denoiser, x, t, y, clip)
        sigma = ddim_sigma(t, s, eta)
        if not 0 <= sigma <= s.sigma:
            raise ValueError(
                f"eta = {eta} is not possible from t = {t.t} to {s.t}: σ would be {sigma:.3g}, "
                f"outside 0 … {s.sigma:.3g}"
            )
        x = ddim_step(x0, noise, s, sigma, normal_like(x, generator) if sigma > 0 else None)
        if on_step:
            on_step(s.t, x)
    return x
