"""Variational autoencoders of images: `vae-digits`, and `vae-map-digits` with two latents."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.levels import LEVELS, bits_per_dim, from_levels
from gdmcourse.likelihood.vae import VAE, vae_loss
from gdmcourse.probability.pixel import expected_pixel
from gdmcourse.recipes.images import FEATURES, ImageRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class VAERecipe(ImageRecipe):
    """The ELBO of the stored grey levels, or with `beta` the trade-off (Kingma and Welling 2014).

    A beta of the number of pixels is what an average over pixels in the place of their sum amounts to.
    """

    latents: int
    width: int = 128
    beta: float = 1.0
    clip_norm: float | None = 1.0
    importance: int = 64  # draws of the tighter bound for each held-out image
    scored: int = 1000  # samples that `metrics` draws

    def check(self) -> None:
        """Raise ValueError for sizes or a weight that can't be."""
        super().check()
        self.require("latents", self.latents >= 1, "at least 1")
        self.require("width", self.width >= 1, "at least 1")
        self.require("beta", self.beta >= 0, "at least 0")
        self.require("importance", self.importance >= 1, "at least 1")
        self.require("scored", self.scored > FEATURES, f"more than {FEATURES}, the features of the scores")

    def levels(self) -> int:
        """How many values a stored pixel can have; 256 in a folder of images."""
        return LEVELS.get(self.dataset, 256)

    def model(self, train: Dataset) -> VAE:
        """The two networks for the shape of `train`."""
        return VAE(tuple(train.images.shape[1:]), latents=self.latents, width=self.width)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """−log p(x | z) + β · KL, in nats a pixel."""
        return vae_loss(levels=self.levels(), beta=self.beta)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About what standard normal pixels cost; a code that is still the prior costs nothing."""
        return {"loss": (2.5, 0.5)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images of the model: a latent, then each pixel from its Gaussian, moved to its grey level."""
        mean, log_variance = self._drawn(model, n, rng)
        noise = torch.randn(mean.shape, generator=rng, device=mean.device)
        drawn = (mean + (log_variance / 2).exp() * noise).clamp(-1, 1)
        return from_levels(((drawn + 1) / 2 * (self.levels() - 1)).round().long(), self.levels())

    @torch.no_grad()
    def means(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` latents of the prior, and the mean image of each: what most papers show as samples."""
        return expected_pixel(*self._drawn(model, n, rng), levels=self.levels())

    def _drawn(self, model: nn.Module, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        assert isinstance(model, VAE)
        return model.decode(torch.randn(n, self.latents, generator=rng, device=rng.device))

    @torch.no_grad()
    def held_out_bits(self, model: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
        """Bits a pixel of each held-out image, (n,) each: "bound" by the ELBO, "importance" by many draws."""
        from gdmcourse.likelihood.bounds import importance_weighted_bound
        from gdmcourse.likelihood.vae import log_weights

        assert isinstance(model, VAE)
        images = self.data("test").images.to(rng.device)
        weights = log_weights(model, images, self.importance, levels=self.levels(), generator=rng)
        found = {"bound": weights.mean(0), "importance": importance_weighted_bound(weights)}
        return {name: bits_per_dim(nats, images[0].numel()) for name, nats in found.items()}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a pixel, what a code costs, how many latents are in use, and the scores of samples.

        `rate` is the mean divergence in nats an image; a latent is in use whose own mean is above 0.01.
        """
        from gdmcourse.likelihood.bounds import kl_to_prior
        from gdmcourse.metrics.report import score_samples

        assert isinstance(model, VAE)
        scores = {name + "_bits": bits.mean().item() for name, bits in self.held_out_bits(model, rng).items()}
        with torch.no_grad():
            rates = kl_to_prior(*model.encode(self.data("test").images.to(rng.device))).mean(0)
        scores |= {"rate": rates.sum().item(), "latents_in_use": (rates > 0.01).sum().item()}
        dataset = self.scored_on()
        if dataset is not None:
            for name, draw in (("", self.sample), ("_of_means", self.means)):
                drawn = score_samples(draw(model, self.scored, rng).cpu(), dataset=dataset)
                scores |= {"frechet" + name: drawn.frechet, "frechet_reference": drawn.reference}
                scores |= {"precision" + name: drawn.precision, "recall" + name: drawn.recall}
        return scores


_LAPTOP = VAERecipe(
    dataset="digits", latents=16, steps=3000, batch_size=64, lr=2e-3, warmup=100, ema_decay=0.995, threads=1
)
RECIPES = {
    # A quarter of a minute each on one core.
    "vae-digits": _LAPTOP.presets(
        smoke={"width": 8, "importance": 2, "scored": 100}, steps=20_000, batch_size=256, width=256, lr=1e-3
    ),
    "vae-map-digits": VAERecipe(
        dataset="digits",
        latents=2,
        steps=2000,
        batch_size=64,
        lr=3e-3,
        warmup=100,
        ema_decay=0.995,
        threads=1,
    ).presets(
        smoke={"width": 8, "importance": 2, "scored": 100}, steps=20_000, batch_size=256, width=256, lr=1e-3
    ),
}
