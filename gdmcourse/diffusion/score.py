"""Scores ∇ log p of noisy data: what they say of the clean image, and how they are learned."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.diffusion.denoiser import Denoiser, schedule_on
from gdmcourse.diffusion.per_image import check_same_shape, per_image
from gdmcourse.diffusion.schedule import Schedule


def score_from_noise(
    schedule: Schedule, noise: Float[Tensor, " n *shape"], t: Int[Tensor, " n"]
) -> Float[Tensor, " n *shape"]:
    """∇ log p(x_t) = −ε̂ / √(1 − ᾱ_t), for times 1 … T. Source: `eq-score-noise`."""
    schedule.check_time(t)
    return -noise / per_image(schedule.one_minus_alpha_bar[t].sqrt(), noise)


def tweedie(
    x: Float[Tensor, " n *shape"],
    score: Float[Tensor, " n *shape"],
    sigma: float | Float[Tensor, " n"],
    signal: float | Float[Tensor, " n"] = 1.0,
) -> Float[Tensor, " n *shape"]:
    """E[x_0 | x] = (x + σ² ∇ log p(x)) / signal, for x = signal · x_0 + σ ε. Source: `eq-tweedie`."""
    return (x + per_image(sigma, x) ** 2 * score) / per_image(signal, x)


def denoising_score_matching(
    score: Callable[[Tensor, Tensor], Tensor],
    x0: Float[Tensor, " n *shape"],
    sigma: Float[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
) -> Float[Tensor, ""]:
    """Mean of σ² (s(x, σ) + ε/σ)² for x = x_0 + σ ε: each σ counts the same with the weight σ².

    It differs from the distance to the true score by a constant alone. Source: `eq-denoising-score-matching`
    (Vincent 2011; Song and Ermon 2019).
    """
    check_same_shape(x0, noise, "the noise")
    spread = per_image(sigma, x0)
    return (spread * score(x0 + spread * noise, sigma) + noise).square().mean()


class NoiseLevelScore(nn.Module):
    """A score network for many noise levels: s(x, σ) = −F(x / √(1 + σ²), 100 log σ) / σ.

    F is any network (x, time) such as `UNet`. The scalings keep its input and output of size one at every
    σ, for data of size one. It serves annealed Langevin and the VE SDE. Source: `def-noise-level-score`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, x: Float[Tensor, " n *shape"], sigma: Float[Tensor, " n"]
    ) -> Float[Tensor, " n *shape"]:
        """∇ log of the density of x = x_0 + σ ε, at x."""
        spread = per_image(sigma, x)
        return -self.network(x / (1 + spread**2).sqrt(), 100 * sigma.log()) / spread


def noise_level_loss(
    sigmas: Float[Tensor, " levels"],
) -> Callable[[nn.Module, Tensor | tuple[Tensor, ...], torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit` of a `NoiseLevelScore`: score matching at random `sigmas`."""

    def loss(network: nn.Module, batch: Tensor | tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        x0 = batch[0] if isinstance(batch, tuple) else batch
        index = torch.randint(len(sigmas), (len(x0),), generator=generator, device=generator.device)
        noise = torch.randn(x0.shape, generator=generator, device=generator.device, dtype=x0.dtype)
        return denoising_score_matching(network, x0, sigmas.to(x0)[index], noise)

    return loss


def score_of_denoiser(denoiser: Denoiser, schedule: Schedule) -> Callable[[Tensor, Tensor], Tensor]:
    """The score (x, t) ↦ −ε̂(x, t)/√(1 − ᾱ_t) of a denoiser, at the whole times 1 … T of its schedule."""

    def score(x: Tensor, t: Tensor) -> Tensor:
        return score_from_noise(schedule_on(schedule, x.device), denoiser(x, t, None), t)

    return score
