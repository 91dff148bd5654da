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

NEAR = 0.5  # pixels from the nearest path of the law, up to which a path counts as one of the law's
ALIKE = 0.8  # overlap above which a volume counts as a shape of the list


@dataclass(frozen=True, kw_only=True)
class VolumeGANRecipe(GANRecipe):
    """A game between networks of volumes; a recipe adds `data` and its scores."""

    noise_dim: int = 8
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

    def check(self) -> None:
        """Raise ValueError unless there is a film to train on."""
        super().check()
        self.require("films", self.films >= 1, "at least 1")

    def data(self, split: str) -> Tensor:
        """Films of a split, of a law of their own."""
        return films(self.films, torch.Generator().manual_seed(derive_seed(0, "films", split)))

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Share of samples whose path is one of the law's; `departure` of whole films."""
        made = self.sample(model, self.scored, rng).cpu()
        kept = path_errors(made) <= NEAR
        return {"paths": kept.double().mean().item(), "departure": departure(made)}


@dataclass(frozen=True, kw_only=True)
class ShapeGANRecipe(VolumeGANRecipe):
    """Chairs and tables; depth is height. Every third shape of the list is for testing."""

    def data(self, split: str) -> Tensor:
        """The shapes of a split."""
        shapes, _ = furniture()
        held_out = torch.arange(len(shapes)) % 3 == 2
        return shapes[held_out if split == "test" else ~held_out]

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Overlap with the nearest shape of the list; shares near to one, and to one not trained on."""
        volumes = self.sample(model, self.scored, rng).cpu()
        overlap, which = nearest_shape(volumes)
        near = overlap > ALIKE
        return {
            "overlap": overlap.mean().item(),
            "near": near.double().mean().item(),
            "new": (near & (which % 3 == 2)).double().mean().item(),
        }


def centres(made: Tensor) -> Tensor:
    """Where the light of each frame has its middle, (n, t, 2): row and column, in pixels."""
    light, pixels = (made + 1)[:, 0], torch.arange(float(made.shape[-1]))
    along = torch.stack([(light.sum(3) * pixels).sum(2), (light.sum(2) * pixels).sum(2)], dim=-1)
    return along / light.sum((2, 3)).clamp(min=1e-6)[..., None]


def path_errors(made: Tensor, bank: int = 20_000) -> Tensor:
    """How far, in pixels, each film's path of centres is from the nearest path of `bank` films of the law.

    The root of the mean square over the frames, (n,).
    """
    known = centres(films(bank, torch.Generator().manual_seed(derive_seed(0, "paths")))).flatten(1)
    return torch.cdist(centres(made).flatten(1), known).min(1).values / math.sqrt(made.shape[2])


def departure(made: Tensor, bank: int = 5000) -> float:
    """Mean distance of films to the nearest of `bank` films of the law, over that of as many new ones.

    Raises ValueError if there is no film.
    """
    if not len(made):
        raise ValueError("there is no film to judge; give at least one")
    known, new = (
        films(n, torch.Generator().manual_seed(derive_seed(0, word))).flatten(1)
        for n, word in ((bank, "bank"), (len(made), "new"))
    )
    ours, theirs = (torch.cdist(x, known).min(1).values.mean() for x in (made.flatten(1), new))
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
    "penalty_every": 4,
    "betas": (0.0, 0.99),
    "steps": 2400,
    "batch_size": 32,
    "lr": 2e-3,
    "warmup": 50,
    "ema_decay": 0.995,
    "threads": 1,
}

RECIPES = {
    # Half a minute each on one core. Shapes lie farther apart than films, so the critic may be steeper.
    "gan-films": FilmGANRecipe(**_COMMON, penalty_weight=3.0).presets(
        smoke=_SMOKE | {"films": 40}, **_GPU, films=100_000
    ),
    "gan-shapes": ShapeGANRecipe(**_COMMON, penalty_weight=0.1).presets(smoke=_SMOKE, **_GPU),
}
