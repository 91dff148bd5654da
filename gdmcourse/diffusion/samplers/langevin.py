"""Langevin dynamics on a score, and its annealed form over a falling sequence of noise levels (NCSN)."""

import itertools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.samplers.times import OnStep, Randomness, normal_like

# A score at noise levels: maps (x, sigma) to ∇ log p_σ(x), with one standard deviation σ an image, (n,).
NoiseScore = Callable[[Tensor, Tensor], Tensor]


def geometric_sigmas(levels: int, largest: float, smallest: float) -> Float[Tensor, " levels"]:
    """Standard deviations from `largest` down to `smallest` in a constant ratio. Source: `def-noise-levels`.

    Raises ValueError unless there are at least two levels and largest > smallest > 0.
    """
    if levels < 2 or not largest > smallest > 0:
        raise ValueError(f"need ≥ 2 levels and largest > smallest > 0, not {levels}, {largest}, {smallest}")
    return torch.logspace(math.log10(largest), math.log10(smallest), levels, dtype=torch.float64).float()


def langevin_step(x: Tensor, score: Tensor, step_size: float, z: Tensor) -> Tensor:
    """x + (a/2) s(x) + √a z with step size a and z ~ N(0, I). Source: `def-langevin-step`."""
    return x + step_size / 2 * score + math.sqrt(step_size) * z


@torch.no_grad()
def annealed_langevin(
    score: NoiseScore,
    sigmas: Float[Tensor, " levels"],
    x: Tensor,
    *,
    steps: int = 100,
    step_size: float = 2e-5,
    generator: Randomness = None,
    on_step: OnStep | None = None,
    denoise: bool = True,
) -> Tensor:
    """`steps` Langevin steps of size step_size·σ²/σ_min² at each noise level σ, from the largest down.

    With `denoise` a last step x + σ_min² s(x), Tweedie's estimate, removes the noise that is left.
    `on_step(σ, x)` is called after each step. Raises ValueError unless the levels decrease. Source:
    `def-annealed-langevin` (Song and Ermon 2019).
    """
    values = sigmas.tolist()
    if any(b >= a for a, b in itertools.pairwise(values)):
        raise ValueError("noise levels must decrease, from the largest to the smallest")
    for sigma in values:
        sigma_of_each = torch.full((len(x),), sigma, dtype=x.dtype, device=x.device)
        size = step_size * (sigma / values[-1]) ** 2
        for _ in range(steps):
            x = langevin_step(x, score(x, sigma_of_each), size, normal_like(x, generator))
            if on_step:
                on_step(sigma, x)
    return x + values[-1] ** 2 * score(x, sigma_of_each) if denoise else x
