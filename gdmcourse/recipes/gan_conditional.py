"""Games with labels, of a critic that is told the label as well: `cgan-…` and `projection-digits`."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.conditional import JOINS, ConditionalGenerator
from gdmcourse.gan.label_critics import PlaneCritic, ProjectionCritic
from gdmcourse.recipes.gan_images import ImageGANRecipe
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class ConditionalGANRecipe(ImageGANRecipe):
    """The generator is asked for the labels of the batch, and the critic judges pairs of image and label."""

    join: str = "concat"  # of label and noise, one of JOINS
    label_noise: float = 0.0  # share of the training labels that are replaced by random ones
    zoom: int = 1  # how many times as wide and high as in the data set images are

    def check(self) -> None:
        """Raise ValueError for an unknown join, and for what can't be."""
        super().check()
        self.require("join", self.join in JOINS, f"one of: {', '.join(JOINS)}")
        self.require("label_noise", 0 <= self.label_noise <= 1, "in [0, 1]")
        self.require("zoom", self.zoom >= 1, "at least 1")
        if self.penalty is not None and self.critic_norm == "batch":
            raise ValueError(
                "a gradient penalty needs a logit of one example alone: build the critic without batch norm"
            )

    def shape(self) -> tuple[int, ...]:
        """Channels, height and width of a generated image."""
        channels, height, side = super().shape()
        return channels, self.zoom * height, self.zoom * side

    def tensors(self, train: Dataset) -> tuple[Tensor, Tensor]:
        """Images and labels, `label_noise` of these random; which ones doesn't depend on the seed."""
        rng = torch.Generator().manual_seed(derive_seed(0, "label noise"))
        replaced = torch.rand(len(train.labels), generator=rng) < self.label_noise
        other = torch.randint(len(train.classes), train.labels.shape, generator=rng)
        return train.images, torch.where(replaced, other, train.labels)

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator and critic for the shape and the classes of `train`."""
        channels, height, side = train.images.shape[1:]
        shape, classes = (channels, self.zoom * height, self.zoom * side), len(train.classes)
        return {
            "generator": ConditionalGenerator(shape, classes, self.noise_dim, self.width, self.join),
            "critic": self.critic_network(shape, classes),
        }

    def critic_network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """The label is a channel beside the image."""
        return PlaneCritic(shape, classes, self.width, self.critic_norm)

    def real(self, batch: tuple[Tensor, ...]) -> Tensor:
        """The images, enlarged by `zoom`."""
        images = batch[0]
        return images if self.zoom == 1 else F.interpolate(images, scale_factor=self.zoom, mode="bilinear")

    def fake(self, networks: SimpleNamespace, batch: tuple[Tensor, Tensor], rng: torch.Generator) -> Tensor:
        """A generated image for each label of the batch."""
        return networks.generator(self.noise(len(batch[1]), rng), batch[1])

    def judged(self, networks: SimpleNamespace, batch: tuple[Tensor, ...]) -> Callable[[Tensor], Tensor]:
        """The critic of images with the labels of the batch."""
        return lambda images: networks.critic(images, batch[1])

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images with the labels 0, 1, 2, … in turn."""
        return model(self.noise(n, rng), self.in_turn(n).to(rng.device))

    def in_turn(self, n: int) -> Tensor:
        """The labels 0, 1, 2, … in turn."""
        return torch.arange(n) % self.classes()

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """A column for each label."""
        from gdmcourse.plots import show_images

        return show_images(self.sample(model, 6 * self.classes(), rng), columns=self.classes())

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of samples, where there is a feature network; how many are read as asked is among them."""
        from gdmcourse.metrics.report import score_samples

        dataset = self.scored_on()
        if dataset is None:
            return {}
        images, asked = self.sample(model, self.scored, rng).cpu(), self.in_turn(self.scored)
        scores = score_samples(images, asked, dataset=dataset)
        assert scores.accuracy is not None
        return {
            "class_accuracy": scores.accuracy,
            "frechet": scores.frechet,
            "frechet_reference": scores.reference,
            "precision": scores.precision,
            "recall": scores.recall,
        }


@dataclass(frozen=True, kw_only=True)
class ProjectionRecipe(ConditionalGANRecipe):
    """The label enters the critic by an inner product with the features (`eq-projection`); hinge loss."""

    objective: str = "hinge"

    def critic_network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """The label enters by an inner product."""
        return ProjectionCritic(shape, classes, self.width, self.critic_norm)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Of logits near 0: both margins are missed by 1."""
        return {"critic": (2.0, 0.5), "generator": (0.0, 0.8)}


# About twenty seconds on one core.
DIGITS: dict[str, Any] = {
    "dataset": "digits",
    "steps": 800,
    "batch_size": 64,
    "lr": 2e-3,
    "betas": (0.0, 0.99),
    "warmup": 50,
    "ema_decay": 0.99,
    "penalty": "r1",
    "penalty_weight": 0.5,
    "threads": 1,
}
SMOKE: dict[str, Any] = {"width": 4, "scored": 100}
LARGE: dict[str, Any] = {
    "width": 64,
    "noise_dim": 100,
    "steps": 20_000,
    "batch_size": 256,
    "lr": 2e-4,
    "ema_decay": 0.999,
    "compile": False,  # a penalty differentiates twice
}

RECIPES = {
    "cgan-digits": ConditionalGANRecipe(**DIGITS).presets(smoke=SMOKE, **LARGE),
    # A few minutes on one core.
    "cgan-mnist": ConditionalGANRecipe(**DIGITS | {"dataset": "mnist", "steps": 2000}).presets(
        smoke=SMOKE, **LARGE, scored=5000
    ),
    "projection-digits": ProjectionRecipe(**DIGITS).presets(smoke=SMOKE, **LARGE),
}
