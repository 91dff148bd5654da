"""The list of times that a sampler walks, and the noise level at each of them."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.schedule import Schedule, ScheduleError


def spaced_times(T: int, steps: int) -> list[int]:
    """Evenly spaced times T = τ_0 > … > τ_steps = 0, rounded to whole ones: `steps` steps, `steps` + 1 times.

    Raises `ScheduleError` unless 1 ≤ steps ≤ T.
    """
    if T < 1:
        raise ScheduleError(f"a schedule needs at least one step, but T = {T}")
    if not 1 <= steps <= T:
        raise ScheduleError(f"a schedule of T = {T} can be walked in 1 … {T} steps, not in {steps}")
    return [T - (i * T + steps // 2) // steps for i in range(steps)] + [0]


class Level(NamedTuple):
    """A time and its noise level: x_t = signal · x_0 + sigma · ε with signal = √ᾱ_t, sigma = √(1 − ᾱ_t)."""

    t: int
    signal: float
    sigma: float

    @property
    def half_log_snr(self) -> float:
        """λ_t = log(√ᾱ_t / √(1 − ᾱ_t)), the clock of DPM-Solver; infinite at t = 0."""
        return math.log(self.signal / self.sigma) if self.sigma > 0 else math.inf


def walk(schedule: Schedule, times: Sequence[int]) -> Iterator[tuple[Level, Level]]:
    """The steps of a sampler as pairs of levels (from t, to s), for a list of decreasing times.

    A full list, as `spaced_times` gives it, begins with T and ends with 0. A part of one is fine: the
    sampler then starts from an image noised to its first time or stops at its last. Raises
    `ScheduleError` for an empty walk, a time outside 0 … T, or one that does not decrease.
    """
    if len(times) < 2:
        raise ScheduleError(f"a sampler needs at least two times, from where and to where, not {list(times)}")
    if times[0] > schedule.T or times[-1] < 0:
        raise ScheduleError(
            f"sampling times lie in 0 … {schedule.T}, but the list goes from {times[0]} to {times[-1]}"
        )
    for t, s in itertools.pairwise(times):
        if s >= t:
            raise ScheduleError(f"sampling times must decrease, but {s} follows {t}")
    # In float64 and fetched once, so that an accelerator is not asked at every step.
    index = torch.as_tensor(times, device=schedule.log_alpha_bar.device)
    log_alpha_bar = schedule.log_alpha_bar[index].double() + schedule.log_alpha_bar_rest[index].double()
    levels = [
        Level(t, math.exp(log / 2), math.sqrt(-math.expm1(log)))
        for t, log in zip(times, log_alpha_bar.tolist(), strict=True)
    ]
    return itertools.pairwise(levels)


def variance_added(s: Level, t: Level) -> float:
    """β_{t|s} = 1 − ᾱ_t/ᾱ_s, the variance that the forward process adds on the way from s to a later t."""
    return t.sigma**2 - (t.signal / s.signal * s.sigma) ** 2


def predict(
    denoiser: Denoiser, x_t: Tensor, level: Level, y: Tensor | None, clip: float | None = None
) -> tuple[Tensor, Tensor]:
    """The denoiser's (x̂_0, ε̂) at a level: see `split_noise`."""
    times = torch.full((len(x_t),), level.t, device=x_t.device)
    return split_noise(x_t, denoiser(x_t, times, y), level, clip)


def split_noise(x_t: Tensor, noise: Tensor, level: Level, clip: float | None = None) -> tuple[Tensor, Tensor]:
    """(x̂_0, ε̂) with x_t = √ᾱ_t x̂_0 + √(1 − ᾱ_t) ε̂; with `clip`, x̂_0 is kept in [−clip, clip] and ε̂ follows.

    Without the last, a clipped x̂_0 and the old ε̂ would describe another x_t.
    """
    x0 = (x_t - level.sigma * noise) / level.signal
    if clip is None:
        return x0, noise
    x0 = x0.clamp(-clip, clip)
    return x0, (x_t - level.signal * x0) / level.sigma


def normal_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal noise in the shape, type and place of x."""
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
