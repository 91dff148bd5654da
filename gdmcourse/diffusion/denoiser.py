"""What a denoiser is, and two ways to get one: from a network of any target, and exactly from a mixture."""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.forward import noise_from_velocity, noise_from_x0
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.probability import GaussianMixture

# A denoiser maps (x_t, t, y) to the noise ε̂ that it sees in x_t; t is an integer tensor (n,), y may be None.
Denoiser = Callable[..., Tensor]


def as_denoiser(network: Denoiser, schedule: Schedule, target: str) -> Denoiser:
    """The denoiser behind a network that was trained to predict `target` instead of the noise.

    `target` is "noise", "x0" or "velocity"; ValueError for another. Source: `eq-x0-from-noise` and
    `eq-velocity-inverse`, solved for ε.
    """
    check_target(target)
    if target == "noise":
        return network
    convert = noise_from_x0 if target == "x0" else noise_from_velocity

    def denoiser(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return convert(schedule_on(schedule, x_t.device), x_t, t, network(x_t, t, y))

    return denoiser


def check_target(target: str) -> None:
    """Raise ValueError unless `target` names what a network may predict."""
    if target not in ("noise", "x0", "velocity"):
        raise ValueError(f'a network predicts "noise", "x0" or "velocity", not {target!r}')


def exact_denoiser(mixture: GaussianMixture, schedule: Schedule) -> Denoiser:
    """The best denoiser there is for data from `mixture`: ε̂ = E[ε | x_t], or E[ε | x_t, y] for a component y.

    What a trained network approximates is known exactly here, so that a sampler can be judged without
    training.
    """

    def denoiser(
        x_t: Float[Tensor, "n d"], t: Int[Tensor, " n"], y: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n d"]:
        noise = torch.empty_like(x_t)
        for label in [None] if y is None else y.unique().tolist():
            law = mixture if label is None else mixture.given(label)
            mine = torch.ones_like(t, dtype=torch.bool) if y is None else y == label
            for time in t[mine].unique().tolist():
                rows = mine & (t == time)
                noise[rows] = law.noise(x_t[rows], alpha_bar_at(schedule, time))
        return noise

    return denoiser


@lru_cache(maxsize=8)
def schedule_on(schedule: Schedule, device: torch.device) -> Schedule:
    """The schedule with its tables on `device`, copied there once."""
    return schedule.to(device)


def alpha_bar_at(schedule: Schedule, t: int) -> float:
    """ᾱ_t as a Python number, in the float64 in which the schedule was worked out, for t = 0 … T."""
    return math.exp(schedule.noise_levels([t])[0].log_alpha_bar)
