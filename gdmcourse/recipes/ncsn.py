"""Score networks over many noise levels, sampled by annealed Langevin dynamics: `ncsn-digits`."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.samplers.langevin import geometric_sigmas
from gdmcourse.diffusion.score import NoiseLevelScore, noise_level_loss
from gdmcourse.nn.unet import UNet
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class NCSNRecipe(ImageRecipe):
    """Denoising score matching on a U-Net (Song and Ermon 2019).

    Training draws from `train_levels` noise levels, so many that the network may be asked in between;
    sampling takes `langevin_steps` steps at each of `levels` of them.
    """

    largest: float  # standard deviation of the noise; above the distance between any two images
    smallest: float
    width: int
    multipliers: tuple[int, ...]
    train_levels: int = 1000
    clip_norm: float | None = 1.0
    levels: int = 20
    langevin_steps: int = 20
    step_share: float = 0.2  # step size in units of the noise's variance
    scored: int = 1000  # samples that `metrics` draws

    def model(self, train: Dataset) -> NoiseLevelScore:
        """The score network for the shape of `train`."""
        return NoiseLevelScore(UNet(train.images.shape[1], width=self.width, multipliers=self.multipliers))

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Denoising score matching at a random noise level for each image."""
        return noise_level_loss(geometric_sigmas(self.train_levels, self.largest, self.smallest))

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of the noise, in its own units."""
        return {"loss": (1.0, 0.8)}

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Annealed Langevin from noise of the largest level, clipped to [−1, 1] at its end."""
        from gdmcourse.diffusion.samplers.langevin import annealed_langevin

        shape = (n, *self.shape())
        noise = self.largest * torch.randn(shape, generator=rng, device=rng.device)
        images = annealed_langevin(
            model,
            geometric_sigmas(self.levels, self.largest, self.smallest),
            noise,
            steps=self.langevin_steps,
            step_size=self.step_share * self.smallest**2,
            generator=rng,
        )
        return images.clamp(-1, 1)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of samples against held-out images."""
        from gdmcourse.metrics.report import score_samples

        scores = score_samples(self.sample(model, self.scored, rng).cpu(), dataset=self.dataset)
        return {
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
            "precision": scores.precision,
            "recall": scores.recall,
        }


_LAPTOP = NCSNRecipe(
    dataset="digits",
    steps=2000,
    batch_size=64,
    lr=4e-3,
    warmup=100,
    ema_decay=0.99,
    largest=10.0,
    smallest=0.05,
    width=16,
    multipliers=(1, 2),
    threads=1,
)
RECIPES = {
    # Under a minute on one core.
    "ncsn-digits": _LAPTOP.presets(
        smoke={"width": 8, "levels": 3, "langevin_steps": 2, "scored": 100},
        steps=20_000,
        batch_size=256,
        lr=1e-3,
        width=64,
        multipliers=(1, 2, 4),
        ema_decay=0.999,
        langevin_steps=50,
    ),
}
