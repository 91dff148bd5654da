"""Solvers of a flow's ODE from noise (t = 1) to data (t = 0): Euler's method, and Heun's."""

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.flow import FlowVelocity
from gdmcourse.diffusion.samplers.times import OnStep


def flow_times(steps: int, shift: float = 1.0) -> list[float]:
    """1 = t_0 > … > t_steps = 0: even in t, or with `shift` > 1 denser near the noise.

    A shift s takes t to s t/(1 + (s − 1) t), which leaves 0 and 1 where they are and multiplies the odds
    t/(1 − t), the ratio of noise to signal, by s (Esser et al. 2024). Raises ValueError for fewer than one
    step or a shift that is not positive.
    """
    if steps < 1:
        raise ValueError(f"a flow is solved in at least 1 step, not {steps}")
    if not shift > 0:
        raise ValueError(f"shift must be above 0, not {shift}")
    even = [1 - i / steps for i in range(steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


@torch.no_grad()
def euler(
    velocity: FlowVelocity,
    x_1: Tensor,
    times: Sequence[float],
    *,
    y: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """x_s = x_t + (s − t) v(x_t, t) along decreasing `times`; one evaluation a step. Returns the last x."""
    x = x_1
    for t, s in steps_of(times):
        x = x + (s - t) * velocity(x, x.new_full((len(x),), t), y)
        if on_step:
            on_step(s, x)
    return x


@torch.no_grad()
def heun(
    velocity: FlowVelocity,
    x_1: Tensor,
    times: Sequence[float],
    *,
    y: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Euler's step, then again with the mean of the velocities at both of its ends; two evaluations a step.

    A step to t = 0 is Euler's, so that a walk of n steps takes 2n − 1 evaluations (Karras et al. 2022).
    """
    x = x_1
    for t, s in steps_of(times):
        first = velocity(x, x.new_full((len(x),), t), y)
        x_s = x + (s - t) * first
        if s > 0:
            second = velocity(x_s, x.new_full((len(x),), s), y)
            x_s = x + (s - t) / 2 * (first + second)
        x = x_s
        if on_step:
            on_step(s, x)
    return x


def steps_of(times: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Pairs of neighbours. Raises ValueError unless there are two times, decreasing within [0, 1]."""
    if len(times) < 2 or times[0] > 1 or times[-1] < 0:
        raise ValueError(f"a flow is solved along at least two times in [0, 1], not along {list(times)}")
    for t, s in itertools.pairwise(times):
        if s >= t:
            raise ValueError(f"times of a flow must decrease from noise to data, but {s:g} follows {t:g}")
    return itertools.pairwise(times)
