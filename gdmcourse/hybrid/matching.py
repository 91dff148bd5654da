"""Distribution matching: the gradient of a divergence between noised laws, from two denoisers.

Both laws are noised alike, x_t = √ᾱ_t x + √(1 − ᾱ_t) ε, and a denoiser of each knows its score.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.forward import q_sample, x0_from_noise
from gdmcourse.diffusion.per_image import check_same_shape, per_image
from gdmcourse.diffusion.schedule import Schedule


class Guesses(NamedTuple):
    """What two denoisers take the image behind the same x_t for, without gradients."""

    real: Tensor  # E[x_0 | x_t] if x_0 were from the data
    fake: Tensor  # E[x_0 | x_t] if it were from the student


@torch.no_grad()
def two_guesses(
    real: Denoiser,
    fake: Denoiser,
    schedule: Schedule,
    x: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
) -> Guesses:
    """Noise the student's images x to the times t and ask both denoisers."""
    x_t = q_sample(schedule, x, t, noise)
    return Guesses(*(x0_from_noise(schedule, x_t, t, asked(x_t, t, y)) for asked in (real, fake)))


def score_gap(schedule: Schedule, guesses: Guesses, t: Int[Tensor, " n"]) -> Float[Tensor, " n *shape"]:
    """s_fake − s_real = a (x̂_fake − x̂_real)/b² at x_t, with a = √ᾱ_t and b² = 1 − ᾱ_t.

    Times a it is each image's part in the gradient of KL(p_θ,t‖p_t). Source: `eq-matching-gradient`.
    """
    schedule.check_time(t)
    weight = schedule.alpha_bar[t].sqrt() / schedule.one_minus_alpha_bar[t]
    return per_image(weight, guesses.real) * (guesses.fake - guesses.real)


def normalised_gap(
    guesses: Guesses, x: Float[Tensor, " n *shape"], least: float = 1e-3
) -> Float[Tensor, " n *shape"]:
    """(x̂_fake − x̂_real) divided by the mean of |x − x̂_real| over each image (Yin et al. 2024).

    So that large and small times pull with about the same strength.
    """
    size = (x.detach() - guesses.real).abs().flatten(1).mean(1).clamp(min=least)
    return (guesses.fake - guesses.real) / per_image(size, guesses.real)


def loss_with_gradient(
    x: Float[Tensor, " n *shape"], gradient: Float[Tensor, " m *other"]
) -> Float[Tensor, ""]:
    """A scalar whose derivative by x is `gradient`/(number of entries): ½ mean (x − sg[x − gradient])².

    Raises ValueError for a gradient of another shape.
    """
    check_same_shape(x, gradient, "the gradient")
    return (x - (x - gradient).detach()).square().mean() / 2
