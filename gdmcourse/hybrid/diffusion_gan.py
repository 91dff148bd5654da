"""What the discriminator of a Diffusion-GAN is shown: an example behind noise, at a random time (Wang 2023).

Tables over times have T + 1 entries, and entry 0 is the clean example, as in `gdmcourse.diffusion.schedule`.
"""

import torch
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.schedule import Schedule

WEIGHTS = ("uniform", "priority")
BETA_START, BETA_END = 1e-4, 0.02


def rebuilt_schedule(T: int) -> Schedule:
    """The schedule of T steps whose β grow in a straight line from 0.0001 to 0.02, whatever T is.

    The β are not rescaled, unlike those of `linear_schedule`: so T says how much noise there is at the end,
    and not into how many steps it is cut (`eq-dg-level`). Raises `ScheduleError` for T < 1.
    """
    return Schedule.from_betas(torch.linspace(BETA_START, BETA_END, T, dtype=torch.float64))


def time_weights(T: int, kind: str = "priority") -> Float64[Tensor, " times"]:
    """π_t over the times 0 … T: equal for "uniform", ∝ t for "priority", and 0 for the clean time 0.

    Raises ValueError for another kind and for T < 1. Source: `def-dg-weights`.
    """
    check_kind(kind)
    if T < 1:
        raise ValueError(f"there must be at least one time to draw, but T = {T}")
    t = torch.arange(T + 1, dtype=torch.float64)
    weights = t if kind == "priority" else (t > 0).double()
    return weights / weights.sum()


def check_kind(kind: str) -> None:
    """Raise ValueError, which lists the known, for unknown weights."""
    if kind not in WEIGHTS:
        raise ValueError(f"there are no weights {kind!r}; there are: {', '.join(WEIGHTS)}")


def check_weights(weights: Float[Tensor, " times"]) -> None:
    """Raise ValueError for weights of times that are no probabilities, or that never draw time 1.

    Entry 0 may be above 0: that is a share of clean examples.
    """
    if weights.ndim != 1 or len(weights) < 2:
        raise ValueError(
            f"weights are a table over the times 0 … T, not a tensor of shape {tuple(weights.shape)}"
        )
    total = weights.double().sum().item()
    if not (weights >= 0).all() or not abs(total - 1) <= 1e-6:
        raise ValueError(
            f"weights of times must be at least 0 and sum to one, but the least is {weights.min().item():.3g}"
            f" and they sum to {total:.6g}"
        )
    if weights[1] == 0:
        raise ValueError(
            "these weights never draw time 1, the one with the least noise: entry 0 is the clean time, so the"
            " weight of time t belongs at index t"
        )


def draw_times(weights: Float[Tensor, " times"], n: int, rng: torch.Generator) -> Int64[Tensor, " n"]:
    """n times, t with probability `weights[t]`; see `check_weights` for what is raised."""
    check_weights(weights.cpu())
    return torch.multinomial(weights.to(rng.device), n, replacement=True, generator=rng)


def noised(
    schedule: Schedule,
    x: Float[Tensor, " n *shape"],
    t: int | Int[Tensor, " n"],
    sigma: float,
    noise: Float[Tensor, " n *shape"],
) -> Float[Tensor, " n *shape"]:
    """y = √ᾱ_t x + √(1 − ᾱ_t) σ ε at times 0 … T, one for all examples or one each (`def-dg-noised`).

    Gradients flow through to x, times √ᾱ_t (`eq-dg-pull`). Raises ValueError for σ ≤ 0 and `ScheduleError`
    for a time that the schedule doesn't have.
    """
    check_sigma(sigma)
    schedule.check_time(t, earliest=0)
    signal = per_image(schedule.alpha_bar[t].sqrt(), x)
    spread = per_image(schedule.one_minus_alpha_bar[t].sqrt(), x)
    return signal * x + spread * sigma * noise


def check_sigma(sigma: float) -> None:
    """Raise ValueError for noise of no size."""
    if not sigma > 0:
        raise ValueError(f"the noise needs a standard deviation σ above 0, not {sigma}")
