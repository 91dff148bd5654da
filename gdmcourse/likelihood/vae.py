"""A variational autoencoder of images: encoder, decoder, loss, and what the two say of an image."""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.likelihood.bounds import kl_to_prior, normal_log_prob, reparameterise
from gdmcourse.probability.pixel import check_levels, pixel_log_prob

Code = tuple[Float[Tensor, "*n latents"], Float[Tensor, "*n latents"]]
Pixels = tuple[Float[Tensor, "*n c h w"], Float[Tensor, "*n c h w"]]


class VAE(nn.Module):
    """z ~ N(0, I) and, given z, a Gaussian for each pixel; q(z | x) is a Gaussian with diagonal covariance.

    Both networks have two hidden layers of `width`. `shape` is that of an image, (C, H, W).
    """

    def __init__(self, shape: tuple[int, ...], *, latents: int, width: int = 128) -> None:
        super().__init__()
        if latents < 1 or width < 1:
            raise ValueError(f"latents and width must be at least 1, not {latents} and {width}")
        self.shape, self.latents = tuple(shape), latents
        self.encoder = _network(math.prod(shape), width, 2 * latents)
        self.decoder = _network(latents, width, 2 * math.prod(shape))

    def encode(self, images: Float[Tensor, "n c h w"]) -> Code:
        """Mean and log variance of q(z | x), (n, latents) each. The log variance is held in [−14, 6]."""
        mean, log_variance = self.encoder(images.flatten(1)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-14, 6)

    def decode(self, z: Float[Tensor, "*n latents"]) -> Pixels:
        """Mean and log variance of each pixel's Gaussian, (*n, C, H, W) each.

        The log variance is held in [−14, 6].
        """
        mean, log_variance = self.decoder(z).float().chunk(2, dim=-1)
        shape = (*z.shape[:-1], *self.shape)
        return mean.reshape(shape), log_variance.clamp(-14, 6).reshape(shape)

    def forward(
        self, images: Float[Tensor, "n c h w"], generator: torch.Generator | None = None
    ) -> tuple[Code, Pixels]:
        """The code of each image, and the pixels of one draw of it."""
        code = self.encode(images)
        return code, self.decode(reparameterise(*code, generator))


def _network(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs)
    )


def vae_loss(
    *, levels: int | None = None, beta: float = 1.0
) -> Callable[[Callable[..., Any], Tensor | tuple[Tensor, ...], torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit`: −log p(x | z) + β · KL of an image, in nats a pixel.

    Both parts are sums, over pixels and over latents, so that at β = 1 it is minus the ELBO, and only the
    whole is divided by the number of pixels. With `levels` the likelihood is that of a pixel's bin, else a
    density. Source: `def-vae-beta`.
    """

    def loss(
        network: Callable[..., Any], batch: Tensor | tuple[Tensor, ...], generator: torch.Generator
    ) -> Tensor:
        images = batch[0] if isinstance(batch, tuple) else batch
        code, (mean, log_variance) = network(images, generator)
        log_likelihood = pixel_log_prob(images, mean, log_variance, levels).flatten(1).sum(1)
        rate = kl_to_prior(*code).sum(1)
        return (beta * rate - log_likelihood).mean() / images[0].numel()

    return loss


@torch.no_grad()
def log_weights(
    vae: VAE,
    images: Float[Tensor, "n c h w"],
    k: int,
    *,
    levels: int | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "k n"]:
    """log of p(x | z) p(z) / q(z | x) in nats, for k draws z of q(z | x) for each image.

    Their mean is an estimate of the ELBO; `importance_weighted_bound` makes a tighter bound of them. Raises
    ValueError for k below 1, and for pixels that lie on none of the `levels`.
    """
    if k < 1:
        raise ValueError(f"k, the number of draws for each image, must be at least 1, not {k}")
    if levels is not None:
        check_levels(images, levels)
    mean, log_variance = vae.encode(images)
    rows = []
    for _ in range(k):  # one draw at a time: k tables of pixels would fill the memory
        z = reparameterise(mean, log_variance, generator)
        pixel_mean, pixel_log_variance = vae.decode(z)
        log_likelihood = pixel_log_prob(images, pixel_mean, pixel_log_variance, levels).flatten(1).sum(1)
        rows.append(log_likelihood + normal_log_prob(z, 0.0, 0.0) - normal_log_prob(z, mean, log_variance))
    return torch.stack(rows)
