"""Games on volumes: `gan-films`, a ball that bounces, and `gan-shapes`, chairs and tables of voxels."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.bouncing import films
from gdmcourse.data.furniture import furniture
from gdmcourse.gan.volumes import VolumeCritic, VolumeGenerator
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class VolumeGANRecipe(GANRecipe):
    """A game between networks of volumes; a recipe adds `data` and its scores."""

    noise_dim: int = 32
    width: int = 16
    scored: int = 1000  # samples that `metrics` draws

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("scored", self.scored >= 1, "at least 1")

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """Generator and critic for the shape of `train`."""
        channels, depth, height, side = train.shape[1:]
        shape = channels, depth, height, side
        return {
            "generator": VolumeGenerator(shape, self.noise_dim, self.width),
            "critic": VolumeCritic(shape, self.width),
        }

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½; it moves before G does."""
        return {"critic": (2 * math.log(2), 0.5), "generator": (math.log(2), 0.9)}

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """Six volumes, a row each, cut into slices."""
        from gdmcourse.plots import show_images

        volumes = self.sample(model, 6, rng).cpu()
        return show_images(volumes.transpose(1, 2).flatten(0, 1), columns=volumes.shape[2])


@dataclass(frozen=True, kw_only=True)
class FilmGANRecipe(VolumeGANRecipe):
    """Films of a ball that bounces; depth is time."""

    films: int = 4000  # in the training data

    def data(self, split: str) -> Tensor:
        """Films of a split, of a law of their own."""
        return films(self.films, torch.Generator().manual_seed(derive_seed(0, "films", split)))

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """How far samples are from the nearest of many films of the law, in units of what new films are."""
        return {"departure": departure(self.sample(model, self.scored, rng).cpu())}


@dataclass(frozen=True, kw_only=True)
class ShapeGANRecipe(VolumeGANRecipe):
    """Chairs and tables; depth is height. Every third shape of the list is for testing."""

    def data(self, split: str) -> Tensor:
        """The shapes of a split."""
        shapes, _ = furniture()
        held_out = torch.arange(len(shapes)) % 3 == 2
        return shapes[held_out if split == "test" else ~held_out]

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Overlap with the nearest shape of the law; shares that are one, and one not trained on."""
        volumes = self.sample(model, self.scored, rng).cpu()
        overlap, which = nearest_shape(volumes)
        exact = overlap == 1
        return {
            "overlap": overlap.mean().item(),
            "exact": exact.double().mean().item(),
            "new": (exact & (which % 3 == 2)).double().mean().item(),
        }


def departure(made: Tensor, bank: int = 5000) -> float:
    """Mean distance of films to the nearest of `bank` films of the law, over that of as many new ones."""
    known, new = (
        films(n, torch.Generator().manual_seed(derive_seed(0, "bank", str(n)))).flatten(1)
        for n in (bank, len(made) + bank)
    )
    ours, theirs = (torch.cdist(x, known).min(1).values.mean() for x in (made.flatten(1), new[bank:]))
    return (ours / theirs).item()


def nearest_shape(volumes: Tensor) -> tuple[Tensor, Tensor]:
    """The overlap of each volume with the shape of the law that it overlaps most with, and that one's place.

    A voxel is full where the volume is above 0; the overlap is voxels full in both over those full in either.
    """
    shapes = (furniture()[0].flatten(1) > 0).double()
    full = (volumes.flatten(1) > 0).double()
    both = full @ shapes.T
    either = full.sum(1)[:, None] + shapes.sum(1) - both
    best = (both / either).max(1)
    return best.values, best.indices


_SMOKE: dict[str, Any] = {"width": 2, "scored": 20}
_GPU: dict[str, Any] = {"width": 64, "noise_dim": 100, "batch_size": 256, "lr": 2e-4, "steps": 20_000}
_COMMON: dict[str, Any] = {
    "penalty": "r1",
    "penalty_weight": 10.0,
    "betas": (0.5, 0.99),
    "steps": 800,
    "batch_size": 32,
    "lr": 1e-3,
    "warmup": 50,
    "ema_decay": 0.995,
    "threads": 1,
}

RECIPES = {
    # A quarter of a minute each on one core.
    "gan-films": FilmGANRecipe(**_COMMON).presets(smoke=_SMOKE | {"films": 40}, **_GPU, films=100_000),
    "gan-shapes": ShapeGANRecipe(**_COMMON).presets(smoke=_SMOKE, **_GPU),
}
