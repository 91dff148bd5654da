"""A cascade in two stages: `cascade-base-digits` draws 4×4 digits, `cascade-digits` makes 8×8 of them.

`cascade-plain-digits` is the second stage without noise on the small image, to see what the noise is for.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.cascade import SuperResolver, conditioned_on, super_resolution_loss
from gdmcourse.diffusion.schedule import Schedule, cosine_schedule
from gdmcourse.recipes.ddpm import presets
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.recipes.reduced import ReducedRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class CascadeBaseRecipe(ReducedRecipe):
    """A DDPM with labels on images whose pixels are means over `factor` × `factor` pixels."""

    factor: int = 2

    def shrink(self, images: Tensor) -> Tensor:
        """Means of pixels."""
        return F.avg_pool2d(images, self.factor)

    def enlarge(self, small: Tensor) -> Tensor:
        """The small images, kept in [−1, 1]: to enlarge them is for the second stage."""
        return small.clamp(-1, 1)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """L_simple on held-out images, and the distance W2 of Gaussians fitted to samples and to data."""
        from gdmcourse.metrics.frechet import frechet_distance

        labels = torch.arange(self.scored) % 10
        drawn = self.draw(model, labels, rng).cpu().flatten(1)
        real = [self.data(split).images.flatten(1) for split in ("train", "test")]
        return {
            "test_loss": self._test_loss(model, rng),
            "pixel_w2": frechet_distance(drawn, torch.cat(real)) ** 0.5,
            "pixel_w2_reference": frechet_distance(*real) ** 0.5,
        }


@dataclass(frozen=True, kw_only=True)
class SuperResolutionRecipe(ImageRecipe):
    """The second stage: a large image given a small one with noise on it, and its label (Ho et al. 2022)."""

    factor: int = 2
    latest: int  # training noises the small image to times 1 … latest
    noised: int  # and `enlarge` to this one, unless told
    T: int = 1000
    target: str = "velocity"
    width: int
    multipliers: tuple[int, ...]
    attention: tuple[int, ...] = (1,)
    clip_norm: float | None = 1.0
    sample_steps: int = 100
    scored: int = 1000

    def schedule(self, device: torch.device | str = "cpu") -> Schedule:
        """The noise schedule, its tables on `device`."""
        return cosine_schedule(self.T).to(device)

    def model(self, train: Dataset) -> SuperResolver:
        """The network for the channels of `train`."""
        return SuperResolver(
            train.images.shape[1],
            width=self.width,
            multipliers=self.multipliers,
            attention=self.attention,
            num_classes=len(train.classes),
        )

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """L_simple of the large image, given the small one noised to a random time up to `latest`."""
        return super_resolution_loss(self.schedule(device), self.factor, self.latest, target=self.target)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of what is to be predicted."""
        return {"loss": (1.0, 0.8)}

    def enlarge(
        self,
        model: nn.Module,
        low: Tensor,
        labels: Tensor,
        rng: torch.Generator,
        time: int | None = None,
    ) -> Tensor:
        """A large image for each small one and its label; the small one is noised to `time` first."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        assert isinstance(model, SuperResolver)
        n, c, h, w = low.shape
        schedule, low = self.schedule(rng.device), low.to(rng.device)
        denoiser = conditioned_on(model, schedule, low, time or self.noised, rng, target=self.target)
        noise = torch.randn((n, c, h * self.factor, w * self.factor), generator=rng, device=rng.device)
        times, y = spaced_times(self.T, self.sample_steps), labels.to(rng.device)
        return ancestral(denoiser, schedule, noise, times, y=y, generator=rng, clip=1.0)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Enlargements of the first held-out images made small."""
        test = self.data("test")
        low = F.avg_pool2d(test.images[:n], self.factor)
        return self.enlarge(model, low, test.labels[:n], rng)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of enlarged held-out images, and how far their means are from the small image given."""
        from gdmcourse.metrics.report import score_samples

        test = self.data("test")
        rows = torch.arange(self.scored) % len(test)
        low = F.avg_pool2d(test.images[rows], self.factor)
        images = self.enlarge(model, low, test.labels[rows], rng).cpu()
        scores = score_samples(images, test.labels[rows], dataset=self.dataset)
        assert scores.accuracy is not None
        return {
            "class_accuracy": scores.accuracy,
            "departure": (F.avg_pool2d(images, self.factor) - low).square().mean().sqrt().item(),
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
        }


_BASE = CascadeBaseRecipe(
    dataset="digits",
    steps=1200,
    batch_size=64,
    lr=4e-3,
    warmup=100,
    ema_decay=0.99,
    target="velocity",
    drop=0.15,
    width=32,
    multipliers=(1, 2),
    attention=(0,),
    sample_steps=100,
    threads=1,
)
_SECOND = SuperResolutionRecipe(
    dataset="digits",
    steps=1600,
    batch_size=64,
    lr=4e-3,
    warmup=100,
    ema_decay=0.99,
    latest=500,
    noised=100,
    width=16,
    multipliers=(1, 3),
    threads=1,
)
_LARGE: dict[str, Any] = {"width": 64, "steps": 20_000, "batch_size": 256, "lr": 1e-3, "ema_decay": 0.999}
_TINY = {"width": 8, "sample_steps": 4, "scored": 100}

RECIPES: dict[str, dict[str, Recipe]] = {
    "cascade-base-digits": {**presets(_BASE, **_LARGE)},
    "cascade-digits": {**_SECOND.presets(smoke=_TINY, **_LARGE)},
    "cascade-plain-digits": {**replace(_SECOND, latest=1, noised=1).presets(smoke=_TINY, **_LARGE)},
}
