"""How far the paths of a flow are from straight lines that are walked at one speed."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.flow import FlowVelocity
from gdmcourse.diffusion.samplers.flow import heun


@torch.no_grad()
def straightness(
    velocity: FlowVelocity, x_1: Float[Tensor, " n *shape"], times: Sequence[float]
) -> Float[Tensor, ""]:
    """∫ E ‖(x_1 − x_0) − v(x_t, t)‖² dt along the flow's own paths from x_1, by the trapezium rule.

    `times` decrease from 1 to 0; raises ValueError for times that don't. 0 means that every path is a
    straight line at one speed. Source: `def-straightness` (Liu et al. 2023).
    """
    if times[0] != 1 or times[-1] != 0:
        raise ValueError(f"paths are followed from 1 to 0, not from {times[0]:g} to {times[-1]:g}")
    path = [x_1]
    x_0 = heun(velocity, x_1, times, on_step=lambda t, x: path.append(x))
    off = [
        ((x_1 - x_0) - velocity(x, x.new_full((len(x),), t))).square().flatten(1).sum(1).mean()
        for t, x in zip(times, path, strict=True)
    ]
    pairs = itertools.pairwise(zip(times, off, strict=True))
    return torch.stack([(t - s) / 2 * (a + b) for (t, a), (s, b) in pairs]).sum()
