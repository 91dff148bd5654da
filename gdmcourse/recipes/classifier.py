"""The classifier whose penultimate layer is the feature network of the course's scores."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.metrics.classifier import Classifier, class_accuracy, classifier_loss
from gdmcourse.metrics.features import FEATURE_RECIPES
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(ImageRecipe):
    """Cross-entropy, AdamW, and a learning rate that warms up and then falls to zero."""

    width: int
    features: int = 64

    def model(self, train: Dataset) -> nn.Module:
        """The classifier for the shape and the classes of `train`."""
        _, channels, height, width = train.images.shape
        return Classifier((channels, height, width), len(train.classes), self.width, self.features)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Cross-entropy."""
        return classifier_loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Of ten classes an untrained network knows nothing."""
        return {"loss": (math.log(10), 0.5)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Accuracy on the held-out images."""
        test = self.data("test")
        return {"test_accuracy": class_accuracy(model, test.images, test.labels)}


def _presets(dataset: str) -> dict[str, ClassifierRecipe]:
    """`laptop` is what `feature_network` trains; `gpu` is four times as wide."""
    known = FEATURE_RECIPES[dataset]
    laptop = ClassifierRecipe(
        dataset=dataset,
        steps=known.steps,
        batch_size=known.batch_size,
        lr=known.lr,
        width=known.width,
        features=known.features,
        warmup=known.warmup,
        threads=1,
        save_every=200,
    )
    smoke: dict[str, Any] = {"steps": 20, "batch_size": known.batch_size, "width": 4}
    return laptop.presets(smoke=smoke, steps=4000, batch_size=512, width=64, compile=False)


RECIPES = {f"classifier-{dataset}": _presets(dataset) for dataset in FEATURE_RECIPES}
