"""DPM-Solver++: the probability-flow ODE in exponential form, by a multistep method of order 1, 2 or 3."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.noise_level import NoiseLevel
from gdmcourse.diffusion.samplers.times import OnStep, Randomness, predict, walk
from gdmcourse.diffusion.schedule import Schedule


def dpm_solver_step(x_t: Tensor, history: Sequence[tuple[NoiseLevel, Tensor]], s: NoiseLevel) -> Tensor:
    """One step to s from x_t; `history` has the 1–3 newest (noise level, x̂_0), the last of them at t itself.

    The exact solution is x_s = (σ_s/σ_t) x_t + σ_s ∫ e^λ x̂_0(λ) dλ from λ_t to λ_s = λ_t + h. With D, D′
    and D″ the value, slope and curvature at λ_t of the polynomial through the history, the order taken is
    its length: 1: α_s (1 − e^(−h)) D in place of σ_s ∫; 2: the same with D at the middle of the step, D +
    (h/2) D′; 3: the polynomial's own integral. A step to clean data is infinitely long in λ and takes
    order 1. Source: `eq-dpm-solver` (Lu et al. 2022, algorithm 2 for order 2).
    """
    t, value = history[-1]
    h = s.half_log_snr - t.half_log_snr
    decay = -math.expm1(-h)  # 1 − e^(−h)
    x_s = s.sigma / t.sigma * x_t + s.signal * decay * value
    if len(history) == 1:
        return x_s
    (a, before), lambda_t = history[-2], t.half_log_snr
    slope = (value - before) / (lambda_t - a.half_log_snr)
    if len(history) == 2:
        return x_s + s.signal * decay * (h / 2) * slope
    b, oldest = history[-3]
    older_slope = (before - oldest) / (a.half_log_snr - b.half_log_snr)
    curvature = 2 * (slope - older_slope) / (lambda_t - b.half_log_snr)
    slope = slope + curvature * (lambda_t - a.half_log_snr) / 2
    return x_s + s.signal * ((h - decay) * slope + (h * h / 2 - h + decay) * curvature)


@torch.no_grad()
def dpm_solver(
    denoiser: Denoiser,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[int],
    *,
    y: Tensor | None = None,
    generator: Randomness = None,
    on_step: OnStep | None = None,
    order: int = 2,
    clip: float | None = None,
) -> Tensor:
    """Walk `times` from noise x_T by multistep DPM-Solver++ of `order` 1 (DDIM), 2 or 3; one call a step.

    The order grows as the history does; on a walk to clean data it falls again to 2 and 1, as the last
    step is infinitely long in λ. Deterministic: `generator` is accepted and unused. Returns x at the last
    time. Raises ValueError for another order. Source: `eq-dpm-solver` (Lu et al. 2022).
    """
    if order not in (1, 2, 3):
        raise ValueError(f"DPM-Solver's order is 1, 2 or 3, not {order}")
    x, history = x_T, list[tuple[NoiseLevel, Tensor]]()
    steps = list(walk(schedule, times))
    for i, (t, s) in enumerate(steps):
        history = [*history[-2:], (t, predict(denoiser, x, t, y, clip)[0])]
        left = len(steps) - i if times[-1] == 0 else order
        x = dpm_solver_step(x, history[-min(order, left) :], s)
        if on_step:
            on_step(s.t, x)
    return x
