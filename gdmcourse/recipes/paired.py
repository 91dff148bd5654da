"""Translation with pairs: `pix2pix-digits` and `pix2pix-mnist` fill outlines."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.outline import outline
from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.translation import PatchCritic, Translator
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.batches import Data
from gdmcourse.training.player import Player, Turn

Pair = tuple[Tensor, Tensor]  # sources, and the images that they were made of


@dataclass(frozen=True, kw_only=True)
class PairedRecipe(GANRecipe, ImageRecipe):
    """From a source that is computed of each image back to the image, by regression and by a critic's word.

    A recipe adds `source`, `modules` with a "generator" and a "critic", `shown` and `unlikeness`. With
    `adversarial_weight=0` there is no critic and nothing but the regression.
    """

    noise_dim: int = 4  # planes of noise beside the source
    width: int = 16
    adversarial_weight: float = 1.0

    def check(self) -> None:
        """Raise ValueError for sizes and weights that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("adversarial_weight", 0 <= self.adversarial_weight < math.inf, "at least 0")

    def source(self, images: Tensor) -> Tensor:
        """What the generator is given in the place of the images."""
        raise NotImplementedError

    def shown(self, source: Tensor, image: Tensor) -> Tensor:
        """What the critic sees of a source and an image that answers it."""
        raise NotImplementedError

    def unlikeness(self, made: Tensor, image: Tensor) -> Tensor:
        """The regression's loss, with its weight."""
        raise NotImplementedError

    def tensors(self, train: Dataset) -> Data:
        """Sources and images."""
        return self.source(train.images), train.images

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critic, if its word has a weight, then the generator."""
        players = super().players(modules, device)
        return players if self.adversarial_weight else {"generator": players["generator"]}

    def made(self, networks: SimpleNamespace, batch: Pair, rng: torch.Generator) -> Tensor:
        """The generator's answers to the sources of a batch."""
        return networks.generator(batch[0], self.noise(len(batch[0]), rng))

    def real(self, batch: Pair) -> Tensor:
        """What the critic sees of the true pairs."""
        return self.shown(*batch)

    def fake(self, networks: SimpleNamespace, batch: Pair, rng: torch.Generator) -> Tensor:
        """What it sees of the sources with the generator's answers."""
        return self.shown(batch[0], self.made(networks, batch, rng))

    def generator_loss(self, networks: SimpleNamespace, batch: Pair, turn: Turn) -> Tensor:
        """The regression's loss, and the generator's side of the game."""
        made = self.made(networks, batch, turn.rng)
        loss = self.unlikeness(made, batch[1])
        if self.adversarial_weight == 0:
            return loss
        fake = networks.critic(self.shown(batch[0], made))
        with torch.no_grad():  # its gradient has no way to the generator
            real = networks.critic(self.real(batch))
        return loss + self.adversarial_weight * find_objective(self.objective).generator(real, fake)

    @torch.no_grad()
    def answer(self, model: nn.Module, sources: Tensor, rng: torch.Generator) -> Tensor:
        """An image for each source, on the device of `rng`."""
        return model(sources.to(rng.device), self.noise(len(sources), rng))

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Answers to the sources of the first held-out images."""
        return self.answer(model, self.source(self.data("test").images[:n]), rng)

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of answers to held-out sources against the true ones, where there is a feature network."""
        from gdmcourse.metrics.classifier import class_accuracy
        from gdmcourse.metrics.features import feature_network
        from gdmcourse.metrics.paired import paired_scores

        dataset = self.scored_on()
        if dataset is None:
            return {}
        network, test = feature_network(dataset), self.data("test")
        made = self.answer(model, self.source(test.images), rng).cpu()
        scores = paired_scores(network, made, test.images)
        return {
            "l1": scores.l1,
            "psnr": scores.psnr,
            "features": scores.features,
            "class_accuracy": class_accuracy(network, made, test.labels),
        }


@dataclass(frozen=True, kw_only=True)
class Pix2PixRecipe(PairedRecipe):
    """From outlines to images: L1 and a critic that sees patches of the pair (Isola et al. 2017)."""

    halvings: int = 1  # of the generator and of the critic
    l1_weight: float = 100.0  # λ

    def check(self) -> None:
        """Raise ValueError for numbers that can't be, and for a penalty that has no meaning."""
        super().check()
        self.require("halvings", self.halvings >= 0, "at least 0")
        self.require("penalty", self.penalty is None, "null: a critic of patches has many logits to an image")
        self.require("l1_weight", 0 <= self.l1_weight < math.inf, "at least 0")

    def source(self, images: Tensor) -> Tensor:
        """Their outlines."""
        return outline(images)

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator and critic for the channels of `train`."""
        channels = train.images.shape[1]
        return {
            "generator": Translator(1, channels, self.width, self.halvings, self.noise_dim),
            "critic": PatchCritic(1 + channels, self.width, self.halvings),
        }

    def shown(self, source: Tensor, image: Tensor) -> Tensor:
        """Both, one beside the other in the channels."""
        return torch.cat([source, image], dim=1)

    def unlikeness(self, made: Tensor, image: Tensor) -> Tensor:
        """λ times the mean absolute difference of a pixel."""
        return self.l1_weight * F.l1_loss(made, image)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½; a generator that knows nothing is grey, and pixels are not."""
        return {
            "critic": (2 * math.log(2), 0.4),
            "generator": (
                0.75 * self.l1_weight + self.adversarial_weight * math.log(2),
                0.6 * self.l1_weight,
            ),
        }


def _presets(dataset: str, halvings: int, **changes: Any) -> dict[str, Pix2PixRecipe]:
    laptop = Pix2PixRecipe(
        dataset=dataset,
        steps=500,
        batch_size=64,
        lr=2e-3,
        warmup=50,
        ema_decay=0.99,
        halvings=halvings,
        l1_weight=10.0,
        threads=1,
    )
    return laptop.presets(smoke={"width": 4}, width=64, steps=20_000, batch_size=256, lr=2e-4, **changes)


RECIPES = {
    # A quarter of a minute on one core.
    "pix2pix-digits": _presets("digits", 1),
    "pix2pix-mnist": _presets("mnist", 2),
}
