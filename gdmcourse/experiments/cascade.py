"""A cascade in two stages: `cascade-base-digits` draws 4×4 digits, `cascade-digits` makes 8×8 of them.

`cascade-plain-digits` is the second stage without noise on the small image, to see what the noise is for.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data import Dataset
from gdmcourse.diffusion.cascade import SuperResolver, conditioned_on, super_resolution_loss
from gdmcourse.diffusion.schedule import Schedule, cosine_schedule
from gdmcourse.experiments.recipe import Recipe
from gdmcourse.experiments.smaller import SmallerRecipe
from gdmcourse.training.fit import Rate
from gdmcourse.training.rates import warmup_cosine


@dataclass(frozen=True, kw_only=True)
class CascadeBaseRecipe(SmallerRecipe):
    """A DDPM with labels on images whose pixels are means over `factor` × `factor` pixels."""

    factor: int = 2

    def shrink(self, images: Tensor) -> Tensor:
        """Means of pixels."""
        return F.avg_pool2d(images, self.factor)

    def enlarge(self, small: Tensor) -> Tensor:
        """The small images, kept in [−1, 1]: to enlarge them is for the second stage."""
        return small.clamp(-1, 1)

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
        """L_simple on held-out images, and the distance W2 of Gaussians fitted to samples and to data."""
        from gdmcourse.metrics.frechet import frechet_distance

        labels = torch.arange(self.scored) % 10
        drawn = self.draw(model, labels, generator).cpu().flatten(1)
        real = [self.data(split).images.flatten(1) for split in ("train", "test")]
        return {
            "test_loss": self._test_loss(model, generator),
            "pixel_w2": frechet_distance(drawn, torch.cat(real)) ** 0.5,
            "pixel_w2_reference": frechet_distance(*real) ** 0.5,
        }


@dataclass(frozen=True, kw_only=True)
class SuperResolutionRecipe(Recipe):
    """The second stage: a large image given a small one with noise on it, and its label (Ho et al. 2022)."""

    factor: int = 2
    max_level: int  # training noises the small image to times 1 … max_level
    level: int  # and `enlarge` to this one, unless told
    T: int = 1000
    target: str = "velocity"
    width: int
    multipliers: tuple[int, ...]
    attention: tuple[int, ...] = (1,)
    warmup: int
    clip_norm: float | None = 1.0
    sample_steps: int = 100
    scored: int = 1000

    def schedule(self, device: torch.device | str = "cpu") -> Schedule:
        """The noise schedule, its tables on `device`."""
        return _schedule(self.T, str(device))

    def model(self, train: Dataset) -> SuperResolver:
        """The network for the channels of `train`."""
        return SuperResolver(
            train.images.shape[1],
            width=self.width,
            multipliers=self.multipliers,
            attention=self.attention,
            num_classes=len(train.classes),
        )

    def loss(self, model: Any, batch: Any, generator: torch.Generator) -> Tensor:
        """L_simple of the large image, given the small one noised to a random level."""
        loss = super_resolution_loss(
            self.schedule(generator.device), self.factor, self.max_level, target=self.target
        )
        return loss(model, batch, generator)

    def rate(self) -> Rate:
        """Linear warm-up, then half a cosine."""
        return warmup_cosine(self.lr, self.steps, self.warmup)

    def enlarge(
        self,
        model: nn.Module,
        low: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        level: int | None = None,
    ) -> Tensor:
        """A large image for each small one and its label; the small one is noised to time `level` first."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        assert isinstance(model, SuperResolver)
        n, c, h, w = low.shape
        schedule, low = self.schedule(generator.device), low.to(generator.device)
        denoiser = conditioned_on(model, schedule, low, level or self.level, generator, target=self.target)
        noise = torch.randn(
            (n, c, h * self.factor, w * self.factor), generator=generator, device=generator.device
        )
        times, y = spaced_times(self.T, self.sample_steps), labels.to(generator.device)
        return ancestral(denoiser, schedule, noise, times, y=y, generator=generator, clip=1.0)

    def sample(self, model: nn.Module, n: int, generator: torch.Generator) -> Tensor:
        """Enlargements of the first held-out images made small."""
        test = self.data("test")
        low = F.avg_pool2d(test.images[:n], self.factor)
        return self.enlarge(model, low, test.labels[:n], generator)

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
        """Scores of enlarged held-out images, and how far their means are from the small image given."""
        from gdmcourse.metrics.report import score_samples

        test = self.data("test")
        rows = torch.arange(self.scored) % len(test)
        low = F.avg_pool2d(test.images[rows], self.factor)
        images = self.enlarge(model, low, test.labels[rows], generator).cpu()
        scores = score_samples(images, test.labels[rows], dataset=self.dataset)
        assert scores.accuracy is not None
        return {
            "class_accuracy": scores.accuracy,
            "departure": (F.avg_pool2d(images, self.factor) - low).square().mean().sqrt().item(),
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
        }


@lru_cache(maxsize=4)
def _schedule(T: int, device: str) -> Schedule:
    """Made once, not at each step."""
    return cosine_schedule(T).to(device)


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
    max_level=500,
    level=100,
    width=16,
    multipliers=(1, 3),
    threads=1,
)
_FAST: dict[str, Any] = {
    "width": 64,
    "steps": 20_000,
    "batch_size": 256,
    "lr": 1e-3,
    "ema_decay": 0.999,
    "precision": "bf16-mixed",
    "compile": True,
    "threads": None,
}


def _presets(laptop: SuperResolutionRecipe) -> dict[str, SuperResolutionRecipe]:
    tiny = replace(laptop, steps=8, batch_size=8, width=8, warmup=2, sample_steps=4, scored=100)
    return {"smoke": tiny, "laptop": laptop, "gpu": replace(laptop, **_FAST)}


RECIPES: dict[str, dict[str, Recipe]] = {
    "cascade-base-digits": {
        "smoke": replace(_BASE, steps=8, batch_size=8, width=8, warmup=2, sample_steps=4, scored=100),
        "laptop": _BASE,
        "gpu": replace(_BASE, **_FAST),
    },
    "cascade-digits": {**_presets(_SECOND)},
    "cascade-plain-digits": {**_presets(replace(_SECOND, max_level=1, level=1))},
}
