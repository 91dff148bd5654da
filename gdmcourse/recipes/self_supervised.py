"""Feature networks that are taught without labels: `vicreg-digits`."""

from dataclasses import dataclass

import torch
from torch import nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.metrics.classifier import extract_features
from gdmcourse.metrics.self_supervised import SelfSupervised, vicreg_loss
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.batches import Data
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class VICRegRecipe(ImageRecipe):
    """Two views of each image, the layers of the feature network, and no label."""

    width: int = 32
    features: int = 64
    embedding: int = 128

    def tensors(self, train: Dataset) -> Data:
        """The images alone."""
        return train.images

    def model(self, train: Dataset) -> SelfSupervised:
        """The network for the shape of `train`."""
        _, channels, height, width = train.images.shape
        return SelfSupervised((channels, height, width), self.width, self.features, self.embedding)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """That of VICReg."""
        return vicreg_loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Embeddings that hardly differ fall short of their spread by nearly 1."""
        return {"loss": (0.8, 0.4)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Share of held-out images whose nearest training image, by the features, is of their class."""
        assert isinstance(model, SelfSupervised)
        train, test = self.data("train"), self.data("test")
        ours, theirs = (extract_features(model, part.images) for part in (train, test))
        nearest = torch.cdist(theirs, ours).argmin(1)
        return {"nearest_accuracy": (train.labels[nearest] == test.labels).double().mean().item()}


# A quarter of a minute on one core.
_LAPTOP = VICRegRecipe(dataset="digits", steps=400, batch_size=128, lr=3e-3, warmup=50, threads=1)

RECIPES = {
    "vicreg-digits": _LAPTOP.presets(
        smoke={"width": 4, "embedding": 8}, steps=4000, batch_size=512, lr=2e-3, width=64, compile=False
    )
}
