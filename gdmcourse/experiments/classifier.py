"""The classifier whose penultimate layer is the feature network of the course's scores."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data import Dataset
from gdmcourse.experiments.recipe import Recipe
from gdmcourse.metrics.classifier import Classifier, class_accuracy, classifier_loss
from gdmcourse.metrics.features import FEATURE_RECIPES
from gdmcourse.training import warmup_cosine
from gdmcourse.training.fit import Rate


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(Recipe):
    """Cross-entropy, AdamW, and a learning rate that warms up and then falls to zero."""

    width: int
    features: int = 64
    warmup: int

    def model(self, train: Dataset) -> nn.Module:
        """The classifier for the shape and the classes of `train`."""
        _, channels, height, width = train.images.shape
        return Classifier((channels, height, width), len(train.classes), self.width, self.features)

    def loss(self, model: nn.Module, batch: Any, generator: torch.Generator) -> Tensor:
        """Cross-entropy."""
        return classifier_loss(model, batch, generator)

    def rate(self) -> Rate:
        """Linear warm-up, then half a cosine."""
        return warmup_cosine(self.lr, self.steps, self.warmup)

    def metrics(self, model: nn.Module, generator: torch.Generator) -> dict[str, float]:
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
    return {
        "smoke": replace(laptop, steps=20, width=4, warmup=2),
        "laptop": laptop,
        "gpu": replace(laptop, steps=4000, batch_size=512, width=64, threads=None, precision="bf16-mixed"),
    }


RECIPES = {f"classifier-{dataset}": _presets(dataset) for dataset in FEATURE_RECIPES}
