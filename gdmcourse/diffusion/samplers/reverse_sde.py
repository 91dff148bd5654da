"""The reverse SDE by Euler–Maruyama, and with Langevin steps after each step: predictor–corrector."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.samplers.langevin import langevin_step
from gdmcourse.diffusion.samplers.times import OnStep, Randomness, normal_like
from gdmcourse.diffusion.sde import SDE, Score


def euler_maruyama_step(x: Tensor, score: Tensor, sde: SDE, t: float, s: float, z: Tensor | None) -> Tensor:
    """x − (f − g² ∇log p_t)(t − s) + g √(t − s) z, backward from t to s. Source: `def-euler-maruyama`."""
    g = sde.diffusion(t)
    x = x - (sde.drift(x, t) - g**2 * score) * (t - s)
    return x if z is None else x + g * (t - s) ** 0.5 * z


@torch.no_grad()
def reverse_sde(
    score: Score,
    sde: SDE,
    x_1: Tensor,
    times: Sequence[float],
    *,
    generator: Randomness = None,
    on_step: OnStep | None = None,
    corrector_steps: int = 0,
    snr: float = 0.16,
) -> Tensor:
    """Walk real `times` down from 1, from noise x_1 of deviation `sde.prior_std`; no noise on the last step.

    After each step but the last, `corrector_steps` Langevin steps of size 4 (snr ‖z‖/‖s‖)² make up for
    its error. Returns x at the last time, which is best a little above 0, where a learned score is still
    finite. Raises ValueError unless the times decrease within [0, 1]. Source: `eq-reverse-sde` (Song et
    al. 2021, algorithms 2 and 3).
    """
    if len(times) < 2 or times[0] > 1 or times[-1] < 0 or any(s >= t for t, s in itertools.pairwise(times)):
        raise ValueError("the times of an SDE must decrease within [0, 1]")
    x = x_1
    for i, (t, s) in enumerate(itertools.pairwise(times)):
        last = i == len(times) - 2
        z = None if last else normal_like(x, generator)
        x = euler_maruyama_step(x, score(x, x.new_full((len(x),), t)), sde, t, s, z)
        for _ in range(0 if last else corrector_steps):
            gradient, z = score(x, x.new_full((len(x),), s)), normal_like(x, generator)
            ratio = z.flatten(1).norm(dim=1).mean() / gradient.flatten(1).norm(dim=1).mean()
            size = 4 * (snr * float(ratio)) ** 2
            x = langevin_step(x, gradient, size, z)
        if on_step:
            on_step(s, x)
    return x
