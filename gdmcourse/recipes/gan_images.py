"""Games on images, between convolutional networks: `dcgan-…`, and `r3gan-digits`, what came after it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.dcgan import ImageCritic, ImageGenerator
from gdmcourse.gan.objective import find_objective
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.recipes.images import FEATURES, ImageRecipe


@dataclass(frozen=True, kw_only=True)
class ImageGANRecipe(GANRecipe, ImageRecipe):
    """A DCGAN, or with `critic_norm` "none" and a penalty what came after it."""

    noise_dim: int = 32
    width: int = 16
    critic_norm: str = "none"
    scored: int = 1000  # samples that `metrics` draws

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("scored", self.scored > FEATURES, f"more than {FEATURES}, the features of the scores")

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator and critic for the shape of `train`."""
        channels, height, side = train.images.shape[1:]
        shape = channels, height, side
        return {
            "generator": ImageGenerator(shape, self.noise_dim, self.width),
            "critic": ImageCritic(shape, self.width, self.critic_norm),
        }

    def real(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The images without their labels."""
        return batch[0]

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½, of each image or of each pair; it moves before G does."""
        unknowing = math.log(2) if find_objective(self.objective).pairs else 2 * math.log(2)
        return {"critic": (unknowing, 0.4), "generator": (math.log(2), 0.8)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of samples, where there is a feature network."""
        from gdmcourse.metrics.report import score_samples

        dataset = self.scored_on()
        if dataset is None:
            return {}
        scores = score_samples(self.sample(model, self.scored, rng).cpu(), dataset=dataset)
        return {
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
            "precision": scores.precision,
            "recall": scores.recall,
        }


# Half a minute on one core.
DIGITS = ImageGANRecipe(
    dataset="digits",
    steps=1000,
    batch_size=64,
    lr=1e-3,
    warmup=50,
    ema_decay=0.995,
    critic_norm="batch",
    threads=1,
)
# What makes a modern baseline of it (Huang et al. 2024): pairs, and penalties in the place of norms.
MODERN: dict[str, Any] = {
    "objective": "relativistic",
    "critic_norm": "none",
    "penalty": "r1+r2",
    "penalty_weight": 0.5,
    "lr": 2e-3,
    "betas": (0.0, 0.99),
}
SMOKE: dict[str, Any] = {"width": 4, "scored": 100}
GPU: dict[str, Any] = {"width": 64, "noise_dim": 100, "batch_size": 256}

RECIPES = {
    "dcgan-digits": DIGITS.presets(smoke=SMOKE, **GPU, steps=20_000, lr=2e-4),
    "r3gan-digits": replace(DIGITS, **MODERN).presets(smoke=SMOKE, **GPU, steps=20_000, lr=1e-3),
    # Minutes, of which MNIST's feature network takes one.
    "dcgan-mnist": replace(DIGITS, dataset="mnist", width=8, save_every=200).presets(
        smoke={"width": 2, "scored": 100}, **GPU, steps=50_000, lr=2e-4
    ),
    "dcgan-cifar10": replace(DIGITS, dataset="cifar10", width=8, save_every=200).presets(
        smoke={"width": 2, "scored": 100}, **GPU, steps=100_000, lr=2e-4
    ),
}
