"""Classifiers that guide a diffusion model, `guide-…`, and ones that never saw noise, `guide-clean-…`."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.classifier import NoisyClassifier, noisy_classifier_loss
from gdmcourse.diffusion.schedule import Schedule, cosine_schedule
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss

ASKED = (0, 100, 250, 500, 750)  # times at which `metrics` measures the accuracy


@dataclass(frozen=True, kw_only=True)
class GuideRecipe(ImageRecipe):
    """Cross-entropy on x_t at a random t for each image, or on clean images alone with `noisy=False`.

    The schedule is the cosine one, as in `ddpm-digits`. A clean classifier is always told t = 0.
    """

    noisy: bool = True
    T: int = 1000
    width: int

    def schedule(self) -> Schedule:
        """The noise schedule."""
        return cosine_schedule(self.T)

    def model(self, train: Dataset) -> NoisyClassifier:
        """The classifier for the channels and the classes of `train`."""
        return NoisyClassifier(train.images.shape[1], len(train.classes), width=self.width)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Cross-entropy."""
        return noisy_classifier_loss(self.schedule()) if self.noisy else clean_loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Of ten classes an untrained network knows nothing."""
        return {"loss": (math.log(10), 0.5)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Accuracy on the held-out images at the times of ASKED, for which the clean one is told t = 0."""
        from gdmcourse.diffusion.forward import q_sample

        test, schedule, accuracies = self.data("test"), self.schedule().to(rng.device), {}
        images = test.images.to(rng.device)
        for t in ASKED:
            noise = torch.randn(images.shape, generator=rng, device=rng.device)
            x_t = q_sample(schedule, images, t, noise) if t else images

            told = torch.full((len(images),), t if self.noisy else 0, device=images.device)
            with torch.no_grad():
                right = model(x_t, told).argmax(1) == test.labels.to(images.device)
            accuracies[f"accuracy_t{t}"] = right.double().mean().item()
        return accuracies


def clean_loss(model: nn.Module, batch: tuple[Tensor, Tensor], rng: torch.Generator) -> Tensor:
    """Cross-entropy on clean images, which the network is told by t = 0; draws nothing."""
    images, labels = batch
    return F.cross_entropy(model(images, torch.zeros_like(labels)), labels)


# About ten seconds on one core.
_digits = GuideRecipe(
    dataset="digits", steps=800, batch_size=64, lr=3e-3, warmup=50, ema_decay=0.99, width=32, threads=1
)
# About two minutes; `gpu` is the classifier of the sources with their 60 epochs.
_mnist = replace(_digits, dataset="mnist", steps=1000, width=16)
_large: dict[str, Any] = {
    "compile": False,
    "width": 64,
    "batch_size": 128,
    "lr": 1e-3,
    "warmup": 500,
    "ema_decay": 0.999,
}

_tiny = {"width": 8}

RECIPES = {
    "guide-digits": _digits.presets(smoke=_tiny, **_large, steps=10_000),
    "guide-clean-digits": replace(_digits, noisy=False, steps=400).presets(smoke=_tiny, **_large, steps=2000),
    "guide-mnist": _mnist.presets(smoke=_tiny, **_large, steps=60 * 60_000 // 128),
    "guide-clean-mnist": replace(_mnist, noisy=False).presets(
        smoke=_tiny, **_large, steps=60 * 60_000 // 128
    ),
}
