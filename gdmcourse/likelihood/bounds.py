"""Bounds on log p(x) for a model with latents: from one draw of q, and from k weighted draws."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def kl_to_prior(
    mean: Float[Tensor, "*n latents"], log_variance: Float[Tensor, "*n latents"]
) -> Float[Tensor, "*n latents"]:
    """KL(N(mean, variance) ‖ N(0, 1)) of each latent in nats; a code costs their sum (`eq-vae-kl`)."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1)


def reparameterise(
    mean: Float[Tensor, "*n latents"],
    log_variance: Float[Tensor, "*n latents"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*n latents"]:
    """A draw of N(mean, variance) through which gradients reach both. Source: `eq-vae-gradients`."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return mean + (log_variance / 2).exp() * noise


def normal_log_prob(
    z: Float[Tensor, "*n latents"],
    mean: Float[Tensor, "*n latents"] | float,
    log_variance: Float[Tensor, "*n latents"] | float,
) -> Float[Tensor, "*n"]:
    """log N(z; mean, variance) in nats, summed over the independent latents."""
    log_variance = torch.as_tensor(log_variance, dtype=z.dtype, device=z.device)
    square = (z - mean).square() / log_variance.exp()
    return -0.5 * (square + log_variance + math.log(2 * math.pi)).sum(-1)


def importance_weighted_bound(log_weights: Float[Tensor, "draws n"]) -> Float[Tensor, " n"]:
    """log of the mean of k weights w = p(x, z) / q(z | x), in nats, from their logarithms.

    Its mean over draws of z is the ELBO at k = 1, rises with k and never exceeds log p(x). Raises ValueError
    for no weights. Source: `eq-vae-importance` (Burda et al. 2016).
    """
    if len(log_weights) == 0:
        raise ValueError("a bound needs at least one weight for each image; draw k ≥ 1 latents")
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))
