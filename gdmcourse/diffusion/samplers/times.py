"""The list of times that a sampler walks, and what it does at each of them."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.noise_level import NoiseLevel
from gdmcourse.diffusion.schedule import Schedule, ScheduleError

# Where a sampler's noise comes from: torch's own generator (None), one for the batch, or one an image.
Randomness = torch.Generator | Sequence[torch.Generator] | None
# Called after each step with the time that was reached and the images there.
OnStep = Callable[[float, Tensor], None]


def spaced_times(T: int, steps: int) -> list[int]:
    """Evenly spaced times T = τ_0 > … > τ_steps = 0, rounded to whole ones: `steps` steps, `steps` + 1 times.

    Raises `ScheduleError` unless 1 ≤ steps ≤ T.
    """
    if T < 1:
        raise ScheduleError(f"a schedule needs at least one step, but T = {T}")
    if not 1 <= steps <= T:
        raise ScheduleError(f"a schedule of T = {T} can be walked in 1 … {T} steps, not in {steps}")
    return [T - (i * T + steps // 2) // steps for i in range(steps)] + [0]


def walk(schedule: Schedule, times: Sequence[int]) -> Iterator[tuple[NoiseLevel, NoiseLevel]]:
    """The steps of a sampler as pairs of noise levels (from t, to s), for a list of decreasing times.

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
    return itertools.pairwise(schedule.noise_levels(times))


def predict(
    denoiser: Denoiser, x_t: Tensor, level: NoiseLevel, y: Tensor | None, clip: float | None = None
) -> tuple[Tensor, Tensor]:
    """The denoiser's (x̂_0, ε̂) at a level: see `split_noise`."""
    times = torch.full((len(x_t),), level.t, device=x_t.device)
    return split_noise(x_t, denoiser(x_t, times, y), level, clip)


def split_noise(
    x_t: Tensor, noise: Tensor, level: NoiseLevel, clip: float | None = None
) -> tuple[Tensor, Tensor]:
    """(x̂_0, ε̂) with x_t = √ᾱ_t x̂_0 + √(1 − ᾱ_t) ε̂; with `clip`, x̂_0 is kept in [−clip, clip] and ε̂ follows.

    Without the last, a clipped x̂_0 and the old ε̂ would describe another x_t.
    """
    x0 = (x_t - level.sigma * noise) / level.signal
    if clip is None:
        return x0, noise
    x0 = x0.clamp(-clip, clip)
    return x0, (x_t - level.signal * x0) / level.sigma


def normal_like(x: Tensor, generator: Randomness) -> Tensor:
    """Standard normal noise in the shape, type and place of x, each image's from its own generator if given.

    Raises ValueError for as many generators as there are no images.
    """
    if generator is None or isinstance(generator, torch.Generator):
        return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    if len(generator) != len(x):
        raise ValueError(
            f"there are {len(generator)} generators for {len(x)} images: give one, or one an image"
        )
    own = [torch.randn(x.shape[1:], generator=g, dtype=x.dtype, device=x.device) for g in generator]
    return torch.stack(own) if own else torch.empty_like(x)


def generators(seeds: Iterable[int], device: torch.device | str = "cpu") -> list[torch.Generator]:
    """A generator for each image, so that its noise depends on its seed alone and not on its batch.

    `x_T = normal_like(torch.empty(n, c, h, w), g)`, and then any sampler with `generator=g`, draw the same
    numbers for a seed in a batch of any size; the network's own rounding may differ in the last digits.
    """
    return [torch.Generator(device).manual_seed(seed) for seed in seeds]
