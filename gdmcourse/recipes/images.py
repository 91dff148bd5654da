"""What recipes share that are trained on a data set of images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import CATALOG, is_folder, load
from gdmcourse.data.dataset import Dataset
from gdmcourse.data.folder import image_folder
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.batches import Data
from gdmcourse.training.player import Turn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 64  # samples in a figure
FEATURES = 64  # of a feature network; scores need more images than that


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(Recipe):
    """Batches are images and labels; a recipe that generates defines `sample`, and its figure is a grid."""

    dataset: str  # a name, or the path of a folder of images
    size: int | None = None  # to which a folder's images are scaled and cropped

    def parts(self) -> list[Callable[..., Any]]:
        """What loads the images."""
        return [CATALOG[self.dataset].load if self.dataset in CATALOG else image_folder]

    def data(self, split: str) -> Dataset:
        """The split "train" or "test" of the data set."""
        if is_folder(self.dataset):
            return own_images(self.dataset, self.size, split)
        return load(self.dataset, split)

    def with_images(self, folder: Path, size: int | None) -> "ImageRecipe":
        """This recipe for a reader's own images. Raises ValueError where it is built on others' networks."""
        if self.below():
            raise ValueError("this recipe is built on a network that was trained on digits; take another one")
        if not folder.expanduser().is_dir():
            raise ValueError(f"{folder} is not a folder. Give the folder that holds the images.")
        return replace(self, dataset=str(folder.expanduser().resolve()), size=size)

    def try_one(self, train: Dataset) -> None:
        """Raise ValueError for images that the networks can't take, before the training begins."""
        modules = self.build(train)
        data = self.tensors(train)
        batch = tuple(part[:2] for part in data) if isinstance(data, tuple) else data[:2]
        turn = Turn(1, torch.Generator().manual_seed(0))
        for player in self.players(modules).values():
            player.loss(SimpleNamespace(**modules), batch, turn)

    def scored_on(self) -> str | None:
        """The data set on whose feature network samples are scored, or None where there can't be one."""
        from gdmcourse.metrics.features import FEATURE_RECIPES

        if self.dataset in FEATURE_RECIPES:
            return self.dataset
        enough = is_folder(self.dataset) and self.classes() > 1 and len(self.data("test")) > FEATURES
        return self.dataset if enough else None

    def classes(self) -> int:
        """How many classes the labels tell apart."""
        return len(self.data("test").classes) if is_folder(self.dataset) else CATALOG[self.dataset].classes

    def tensors(self, train: Dataset) -> Data:
        """Images and labels."""
        return train.images, train.labels

    def shape(self) -> tuple[int, ...]:
        """Channels, height and width of an image."""
        if is_folder(self.dataset):
            return tuple(self.data("train").images.shape[1:])
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


@lru_cache(maxsize=4)
def own_images(folder: str, size: int | None, split: str) -> Dataset:
    """Read once in a run."""
    return image_folder(folder, size, split)
