"""The variational bound on −log p(x_0), term by term, and the training of a variance by it."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.forward import posterior, posterior_mean_from_noise, posterior_variance, q_sample
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.probability.pixel import pixel_log_prob


def log_variances(schedule: Schedule) -> tuple[Float[Tensor, " times"], Float[Tensor, " times"]]:
    """Tables over 0 … T of log β̃_t (small) and log β_t (large), between which a variance is learned.

    Entry 0 is not used. β̃_1 is 0, as x_0 given x_0 is certain; the table has β̃_2 in its place, so that
    its logarithm exists.
    """
    large = schedule.beta
    small = large.clone()
    small[1:] = posterior_variance(
        large[1:], schedule.one_minus_alpha_bar[:-1], schedule.one_minus_alpha_bar[1:]
    )
    small[1] = small[2] if schedule.T > 1 else large[1]
    return small.log(), large.log()


def interpolated_log_variance(
    schedule: Schedule, v: Float[Tensor, " n *shape"], t: Int[Tensor, " n"]
) -> Float[Tensor, " n *shape"]:
    """log σ² between log β̃_t at v = −1 and log β_t at v = 1. Source: `def-learned-variance`."""
    small, large = (per_image(table[t], v) for table in log_variances(schedule))
    part = (v.float() + 1) / 2
    return part * large + (1 - part) * small


def bound_weights(
    schedule: Schedule, variance: Literal["small", "large"] = "small"
) -> Float[Tensor, " times"]:
    """w_t with L_{t−1} = w_t ‖ε − ε̂‖² + const, w_t = β_t² / (2 σ_t² α_t (1 − ᾱ_t)), over 0 … T.

    Entry 0 is 0. The simple loss is the bound with every w_t replaced by one. Source: `eq-bound-weight`.
    """
    small, large = log_variances(schedule)
    sigma2 = (small if variance == "small" else large)[1:].exp()
    weight = schedule.beta[1:] ** 2 / (2 * sigma2 * schedule.alpha[1:] * schedule.one_minus_alpha_bar[1:])
    return torch.cat([weight.new_zeros(1), weight])


def prior_term(schedule: Schedule, x0: Float[Tensor, " n *shape"]) -> Float[Tensor, " n"]:
    """L_T = KL(q(x_T | x_0) ‖ N(0, I)) in nats, what is left of the image at the end.

    Source: `eq-bound-prior`.
    """
    keep, noise = schedule.alpha_bar[-1], schedule.one_minus_alpha_bar[-1]
    return 0.5 * (keep * x0**2 - keep - noise.log()).flatten(1).sum(1)


def bound_term(
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    x_t: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    log_variance: Float[Tensor, " n *shape"],
    grey_levels: int | None = None,
) -> Float[Tensor, " n"]:
    """The bound's term at time t in nats, for a model with mean μ(x_t, ε̂) from `noise` ε̂ and this variance.

    L_{t−1} = KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)) for t > 1, and L_0 = −log p(x_0 | x_1) for t = 1:
    of a density, or with `grey_levels` of the probability of x_0's bin. Source: `eq-bound-term`,
    `eq-bound-reconstruction`.
    """
    true_mean, true_variance = posterior(schedule, x0, x_t, t)
    mean = posterior_mean_from_noise(schedule, noise, x_t, t)
    true_variance = true_variance.expand_as(mean)
    ratio = (true_variance + (true_mean - mean) ** 2) / log_variance.exp()
    first = per_image(t == 1, x0)
    # log of a variance that is 0 at t = 1, where the divergence is not used.
    kl = 0.5 * (log_variance - true_variance.masked_fill(first, 1.0).log() + ratio - 1)
    terms = torch.where(first, reconstruction(x0, mean, log_variance, grey_levels), kl)
    return terms.flatten(1).sum(1)


def reconstruction(
    x0: Float[Tensor, " n *shape"],
    mean: Float[Tensor, " n *shape"],
    log_variance: Float[Tensor, " n *shape"],
    grey_levels: int | None = None,
) -> Float[Tensor, " n *shape"]:
    """−log p(x_0 | x_1) of each pixel: of N(mean, variance)'s density, or of its mass in x_0's bin.

    With `grey_levels` values evenly spaced on [−1, 1], a bin reaches half a spacing to each side, and the
    outermost reach to infinity. Source: `eq-bound-reconstruction` (Ho et al. 2020, §3.3).
    """
    return -pixel_log_prob(x0, mean, log_variance, grey_levels)


@dataclass(frozen=True)
class Bound:
    """The bound's terms for n images, in nats: L_T (n,), L_{t−1} (n, T − 1) for t = 2 … T, and L_0 (n,)."""

    prior: Tensor
    transitions: Tensor
    reconstruction: Tensor
    dimensions: int

    @property
    def total(self) -> Float[Tensor, " n"]:
        """The bound on −log p(x_0), in nats an image."""
        return self.prior + self.transitions.sum(1) + self.reconstruction

    @property
    def bits_per_dim(self) -> Float[Tensor, " n"]:
        """The bound in bits a dimension."""
        return self.total / (self.dimensions * math.log(2))


@torch.no_grad()
def variational_bound(
    denoiser: Denoiser,
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
    *,
    variance: Literal["small", "large", "learned"] = "small",
    grey_levels: int | None = None,
    generator: torch.Generator | None = None,
) -> Bound:
    """All T + 1 terms of the bound on −log p(x_0), one noisy image for each time: T calls of the denoiser.

    Each term is an unbiased estimate. `variance` as in `samplers.ancestral`; with `grey_levels`
    (digits have 17) the bound is on a probability, else on a density. Source: `eq-variational-bound`.
    """
    tables = dict(zip(("small", "large"), log_variances(schedule), strict=True))
    terms = []
    for time in range(1, schedule.T + 1):
        t = torch.full((len(x0),), time, device=x0.device)
        noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        x_t = q_sample(schedule, x0, t, noise)
        output = denoiser(x_t, t, y)
        if variance == "learned":
            output, v = output.chunk(2, dim=1)
            log_variance = interpolated_log_variance(schedule, v, t)
        else:
            log_variance = tables[variance][time].expand_as(x0)
        terms.append(bound_term(schedule, x0, x_t, t, output, log_variance, grey_levels))
    transitions = torch.stack(terms[1:], dim=1) if len(terms) > 1 else x0.new_zeros(len(x0), 0)
    return Bound(prior_term(schedule, x0), transitions, terms[0], x0[0].numel())


def hybrid_loss(
    network: Denoiser,
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
    *,
    weight: float = 1e-3,
    grey_levels: int | None = None,
) -> Float[Tensor, ""]:
    """L_simple + weight · L_bound (nats a dimension), for a network that gives (ε̂, v) in twice the channels.

    The bound trains the variance only: its gradient does not reach ε̂. For uniform t its mean is that of all
    T terms. Source: `def-hybrid-loss` (Nichol and Dhariwal 2021).
    """
    x_t = q_sample(schedule, x0, t, noise)
    predicted, v = network(x_t, t, y).float().chunk(2, dim=1)
    log_variance = interpolated_log_variance(schedule, v, t)
    terms = bound_term(schedule, x0, x_t, t, predicted.detach(), log_variance, grey_levels)
    simple = (predicted - noise).square().mean()
    return simple + weight * schedule.T * terms.mean() / x0[0].numel()
