"""Inpainting: sample the missing pixels of an image so that they fit the known ones."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.noise_level import variance_added
from gdmcourse.diffusion.samplers.ddim import ddim_sigma, ddim_step
from gdmcourse.diffusion.samplers.times import OnStep, Randomness, normal_like, predict, walk
from gdmcourse.diffusion.schedule import Schedule


@torch.no_grad()
def inpaint(
    denoiser: Denoiser,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[int],
    *,
    known: Tensor,
    mask: Tensor,
    y: Tensor | None = None,
    generator: Randomness = None,
    on_step: OnStep | None = None,
    repeats: int = 1,
    clip: float | None = None,
) -> Tensor:
    """Ancestral sampling (η = 1) in which the pixels where `mask` is 1 follow `known`, noised as x_s is.

    `known` (N, …) holds clean images, `mask` broadcasts against them and is 1 where a pixel is known.
    With `repeats` r each step is walked r times, going forward again in between, so that the two halves
    agree better. The known pixels of the result are exactly those of `known` if `times` ends with 0.
    Raises ValueError for shapes that do not fit or `repeats` < 1. Source: `def-inpainting` (Lugmayr et
    al. 2022).
    """
    if known.shape != x_T.shape:
        raise ValueError(
            f"known images {tuple(known.shape)} and noise {tuple(x_T.shape)} must have one shape"
        )
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    x = x_T
    for t, s in walk(schedule, times):
        for attempt in range(repeats):
            x0, noise = predict(denoiser, x, t, y, clip)
            sigma = ddim_sigma(t, s, eta=1.0)
            drawn = ddim_step(x0, noise, s, sigma, normal_like(x, generator) if sigma > 0 else None)
            given = s.signal * known + s.sigma * normal_like(x, generator)
            x = torch.where(mask.bool(), given, drawn)
            if attempt < repeats - 1:  # back to time t by the forward process
                x = t.signal / s.signal * x + variance_added(s, t) ** 0.5 * normal_like(x, generator)
        if on_step:
            on_step(s.t, x)
    return x
