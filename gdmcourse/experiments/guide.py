"""Classifiers that guide a diffusion model, `guide-…`, and ones that never saw noise, `guide-clean-…`."""

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data import Dataset
from gdmcourse.diffusion.classifier import NoisyClassifier, noisy_classifier_loss
from gdmcourse.diffusion.schedule import Schedule, cosine_schedule
from gdmcourse.experiments.recipe import Recipe
from gdmcourse.training.fit import Rate
from gdmcourse.training.rates import warmup_cosine

ASKED = (0, 100, 250, 500, 750)  # times at which `metrics` measures the accuracy


@dataclass(frozen=True, kw_only=True)
class GuideRecipe(Recipe):
    """Cross-entropy on x_t at a random t for each image, or on clean images alone with `noisy=False`.

    The schedule is the cosine one, as in `ddpm-digits`. A clean classifier is always told t = 0.
    """

    noisy: bool = True
    T: int = 1000
    width: int
    warmup: int

    def schedule(self) -> Schedule:
        """The noise schedule."""
        return cosine_schedule(self.T)

    def model(self, train: Dataset) -> NoisyClassifier:
        """The classifier for the channels and the classes of `train`."""
        return NoisyClassifier(train.images.shape[1], len(train.classes), width=self.width)

    def loss(self, model: nn.Module, batch: Any, generator: torch.Generator) -> Tensor:
        """Cross-entropy."""
        if self.noisy:
            return noisy_classifier_loss(self.schedule())(model, batch, generator)
        images, labels = batch
        return F.cross_entropy(model(images, torch.zeros_like(labels)), labels)

    def rate(self) -> Rate:
        """Linear warm-up, then half a cosine."""
        return warmup_cosine(self.lr, self.steps, self.warmup)

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
        """Accuracy on the held-out images at the times of ASKED, for which the clean one is told t = 0."""
        from gdmcourse.diffusion.forward import q_sample

        test, schedule, found = self.data("test"), self.schedule().to(generator.device), {}
        images = test.images.to(generator.device)
        for t in ASKED:
            noise = torch.randn(images.shape, generator=generator, device=generator.device)
            x_t = q_sample(schedule, images, t, noise) if t else images

            told = torch.full((len(images),), t if self.noisy else 0, device=images.device)
            with torch.no_grad():
                right = model(x_t, told).argmax(1) == test.labels.to(images.device)
            found[f"accuracy_t{t}"] = right.double().mean().item()
        return found


def _presets(laptop: GuideRecipe, **gpu: Any) -> dict[str, GuideRecipe]:
    """`smoke` is `laptop` made tiny; `gpu` is `laptop` with these changes, in bfloat16."""
    tiny = replace(laptop, steps=8, batch_size=8, width=8, warmup=2)
    return {
        "smoke": tiny,
        "laptop": laptop,
        "gpu": replace(laptop, precision="bf16-mixed", threads=None, **gpu),
    }


# About ten seconds on one core.
_digits = GuideRecipe(
    dataset="digits", steps=800, batch_size=64, lr=3e-3, warmup=50, ema_decay=0.99, width=32, threads=1
)
# About two minutes; `gpu` is the classifier of the sources with their 60 epochs.
_mnist = replace(_digits, dataset="mnist", steps=1000, width=16)
_large = {"width": 64, "batch_size": 128, "lr": 1e-3, "warmup": 500, "ema_decay": 0.999}

RECIPES = {
    "guide-digits": _presets(_digits, **_large, steps=10_000),
    "guide-clean-digits": _presets(replace(_digits, noisy=False, steps=400), **_large, steps=2000),
    "guide-mnist": _presets(_mnist, **_large, steps=60 * 60_000 // 128),
    "guide-clean-mnist": _presets(replace(_mnist, noisy=False), **_large, steps=60 * 60_000 // 128),
}
