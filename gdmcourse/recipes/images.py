"""What recipes share that are trained on a data set of images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import CATALOG, load
from gdmcourse.data.dataset import Dataset
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.batches import Data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 64  # samples in a figure


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(Recipe):
    """Batches are images and labels; a recipe that generates defines `sample`, and its figure is a grid."""

    dataset: str

    def parts(self) -> list[Callable[..., Any]]:
        """What loads the images."""
        return [CATALOG[self.dataset].load] if self.dataset in CATALOG else []

    def data(self, split: str) -> Dataset:
        """The split "train" or "test" of the data set."""
        return load(self.dataset, split)

    def tensors(self, train: Dataset) -> Data:
        """Images and labels."""
        return train.images, train.labels

    def shape(self) -> tuple[int, ...]:
        """Channels, height and width of an image."""
        return CATALOG[self.dataset].shape

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor | None:
        """`n` images in [−1, 1] from the trained network, on the device of `rng`; None if it draws none."""
        return None

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure | None":
        """A grid of samples."""
        images = self.sample(model, GRID, rng)
        if images is None:
            return None
        from gdmcourse.plots import show_images

        return show_images(images, columns=8)
