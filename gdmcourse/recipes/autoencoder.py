"""The autoencoder whose latents the diffusion models of `latent` and `text` live in: `autoencoder-digits`."""

from dataclasses import dataclass

import torch
from torch import nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.latent import Autoencoder, autoencoder_loss
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(ImageRecipe):
    """Squared error and a faint divergence (Rombach et al. 2022), so that the latents hold nearly all."""

    width: int
    latent_channels: int
    halvings: int = 1
    kl_weight: float = 1e-4
    clip_norm: float | None = 1.0

    def model(self, train: Dataset) -> Autoencoder:
        """The autoencoder for the shape of `train`."""
        return Autoencoder(
            train.images.shape[1],
            latent_channels=self.latent_channels,
            width=self.width,
            halvings=self.halvings,
        )

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Squared error a pixel, plus `kl_weight` times the divergence a latent dimension."""
        return autoencoder_loss(self.kl_weight)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About the mean square of a pixel."""
        return {"loss": (1.0, 0.8)}

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """How well held-out images come back, and what the latents look like.

        `test_error` is the squared error a pixel, `lost_share` the same as a share of the pixels' variance.
        """
        assert isinstance(model, Autoencoder)
        test = self.data("test").images.to(rng.device)
        mean, log_variance = model.encode(test)
        error = (model.decode(mean) - test).square().mean()
        return {
            "test_error": error.item(),
            "lost_share": (error / (test - test.mean(0)).square().mean()).item(),
            "latent_std": mean.std().item(),
            "posterior_std": (log_variance / 2).exp().mean().item(),
        }


_LAPTOP = AutoencoderRecipe(
    dataset="digits",
    steps=1500,
    batch_size=64,
    lr=4e-3,
    warmup=100,
    ema_decay=0.995,
    width=24,
    latent_channels=2,
    threads=1,
)
RECIPES = {
    # About half a minute on one core.
    "autoencoder-digits": _LAPTOP.presets(
        smoke={"width": 8}, steps=20_000, batch_size=256, lr=1e-3, width=64, ema_decay=0.999
    ),
}
