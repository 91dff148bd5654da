"""Latent diffusion: a small autoencoder makes the images smaller, and the diffusion happens there."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.nn.residual import ResidualBlock, group_norm


class Autoencoder(nn.Module):
    """Images (N, C, H, W) to latents (N, latent_channels, H/2^halvings, W/2^halvings) and back.

    A variational autoencoder whose divergence counts so little that it only keeps the latents from
    spreading; the encoder gives mean and log variance. Source: Rombach et al. (2022).
    """

    def __init__(
        self, channels: int = 1, *, latent_channels: int = 2, width: int = 32, halvings: int = 1
    ) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        up: list[nn.Module] = [nn.Conv2d(latent_channels, width, 3, padding=1), ResidualBlock(width, width)]
        for _ in range(halvings):
            down += [ResidualBlock(width, width), nn.Conv2d(width, width, 3, stride=2, padding=1)]
            up += [nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), ResidualBlock(width, width)]
        down += [ResidualBlock(width, width), group_norm(width), nn.SiLU()]
        up += [group_norm(width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1)]
        self.encoder = nn.Sequential(*down, nn.Conv2d(width, 2 * latent_channels, 3, padding=1))
        self.decoder = nn.Sequential(*up)

    def encode(
        self, images: Float[Tensor, "n c h w"]
    ) -> tuple[Float[Tensor, "n k i j"], Float[Tensor, "n k i j"]]:
        """Mean and log variance of the latent of each image."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 10)

    def decode(self, latents: Float[Tensor, "n k i j"]) -> Float[Tensor, "n c h w"]:
        """Images of latents."""
        return self.decoder(latents)

    def forward(
        self, images: Float[Tensor, "n c h w"], generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n k i j"], Float[Tensor, "n k i j"]]:
        """The images through a latent drawn from N(mean, variance), with that mean and log variance."""
        mean, log_variance = self.encode(images)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return self.decode(mean + (log_variance / 2).exp() * noise), mean, log_variance


def autoencoder_loss(
    kl_weight: float = 1e-4,
) -> Callable[[Callable[..., Any], Tensor | tuple[Tensor, ...], torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit`: squared error a pixel + kl_weight · KL a latent dimension.

    Source: `def-autoencoder-loss`.
    """

    def loss(
        network: Callable[..., Any], batch: Tensor | tuple[Tensor, ...], generator: torch.Generator
    ) -> Tensor:
        images = batch[0] if isinstance(batch, tuple) else batch
        through, mean, log_variance = network(images, generator)
        mean, log_variance = mean.float(), log_variance.float()
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).mean()
        return (through.float() - images).square().mean() + kl_weight * kl

    return loss


class LatentSpace:
    """A trained autoencoder, scaled so that its latents have mean 0 and variance 1 as a schedule expects.

    Without it the signal-to-noise ratio at each t is not that of the schedule. `shape` is that of one
    latent. Source: `def-latent-scale` (Rombach et al. 2022, who scale by one number alone).
    """

    def __init__(self, autoencoder: Autoencoder, images: Float[Tensor, "n c h w"]) -> None:
        self.autoencoder = autoencoder.eval().requires_grad_(False)
        latents = self.autoencoder.encode(images)[0]
        self.shift, self.scale, self.shape = latents.mean(), latents.std(), latents.shape[1:]

    def encode(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k i j"]:
        """(mean latent − shift) / scale, what the diffusion model is trained on."""
        return (self.autoencoder.encode(images)[0] - self.shift) / self.scale

    def decode(self, latents: Float[Tensor, "n k i j"]) -> Float[Tensor, "n c h w"]:
        """Images of scaled latents, such as samples are."""
        return self.autoencoder.decode(latents * self.scale + self.shift)
