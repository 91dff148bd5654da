"""Translation without pairs: `cyclegan-digits` and `cyclegan-mnist`, between outlines and images."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.outline import outline
from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.penalties import zero_norm_penalty
from gdmcourse.gan.pool import ImagePool
from gdmcourse.gan.translation import PatchCritic, Translator, cycle_loss, identity_loss
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.batches import Data
from gdmcourse.training.player import Player, PlayerLoss, Turn
from gdmcourse.training.unwrapped import unwrapped

Unpaired = tuple[Tensor, Tensor]  # outlines of some images, and other images


@dataclass(frozen=True, kw_only=True)
class CycleGANRecipe(ImageRecipe):
    """Generators `forth`, outlines (a) to images (b), and `back`, each with a critic (Zhu et al. 2017).

    Every second training image gives its outline, the others themselves, so there is no pair to be found.
    """

    result = "forth"

    width: int = 16
    halvings: int = 1  # of generators and critics
    objective: str = "non-saturating"
    r1_weight: float = 1.0  # γ, on the mean logit of an image's patches
    betas: tuple[float, ...] = (0.5, 0.99)  # of Adam
    cycle_weight: float = 10.0  # of both cycles
    identity_weight: float = 5.0
    pool: int = 50  # images that each critic's pool holds

    def check(self) -> None:
        """Raise ValueError for sizes and weights that can't be."""
        super().check()
        find_objective(self.objective)
        self.require("width", self.width >= 1, "at least 1")
        self.require("halvings", self.halvings >= 0, "at least 0")
        self.require("pool", self.pool >= 0, "at least 0")
        self.require("betas", len(self.betas) == 2 and all(0 <= b < 1 for b in self.betas), "two in [0, 1)")
        for name in ("r1_weight", "cycle_weight", "identity_weight"):
            self.require(name, 0 <= getattr(self, name) < math.inf, "at least 0")

    def tensors(self, train: Dataset) -> Data:
        """Outlines of one half of the images, and the other half."""
        half = len(train.images) // 2
        return outline(train.images[0::2][:half]), train.images[1::2][:half]

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Four networks, and a pool of earlier images for each critic."""
        channels, height, side = train.images.shape[1:]
        return {
            "forth": Translator(1, channels, self.width, self.halvings),
            "back": Translator(channels, 1, self.width, self.halvings),
            "critic_a": PatchCritic(1, self.width, self.halvings),
            "critic_b": PatchCritic(channels, self.width, self.halvings),
            "pool_a": ImagePool(self.pool, (1, height, side)),
            "pool_b": ImagePool(self.pool, (channels, height, side)),
        }

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critics, then the generators, each with an optimiser of its own."""
        common: dict[str, Any] = {"lr": self.rate(), "betas": self.betas, "clip_norm": self.clip_norm}
        return {
            "critic_a": Player(loss=self.critic_loss("back", "a"), **common),
            "critic_b": Player(loss=self.critic_loss("forth", "b"), **common),
            "forth": Player(loss=self.generator_loss("forth", "back"), ema_decay=self.ema_decay, **common),
            "back": Player(loss=self.generator_loss("back", "forth"), ema_decay=self.ema_decay, **common),
        }

    def critic_loss(self, maker: str, domain: str) -> PlayerLoss:
        """The loss of the critic of `domain`, "a" or "b", whose images `maker` makes of the other's."""

        def loss(networks: SimpleNamespace, batch: Unpaired, turn: Turn) -> Tensor:
            real, other = batch if domain == "a" else batch[::-1]
            with torch.no_grad():
                made = getattr(networks, maker)(other)
            fake = getattr(networks, f"pool_{domain}")(made, turn.rng)
            critic = getattr(networks, f"critic_{domain}")
            value = find_objective(self.objective).critic(critic(real), critic(fake))
            if self.r1_weight == 0:
                return value
            bare = getattr(unwrapped(networks), f"critic_{domain}")
            return value + self.r1_weight * zero_norm_penalty(lambda x: bare(x).mean((1, 2)), real)

        return loss

    def generator_loss(self, mine: str, other: str) -> PlayerLoss:
        """The loss of the generator `mine`: its game, both cycles through it and `other`, its identity."""

        def loss(networks: SimpleNamespace, batch: Unpaired, turn: Turn) -> Tensor:
            there, back = getattr(networks, mine), getattr(networks, other)
            source, target = batch if mine == "forth" else batch[::-1]
            critic = networks.critic_b if mine == "forth" else networks.critic_a
            made = there(source)
            with torch.no_grad():  # its gradient has no way to the generator
                real = critic(target)
            value = find_objective(self.objective).generator(real, critic(made))
            cycles = cycle_loss(lambda x: made, back, source) + cycle_loss(back, there, target)
            return value + self.cycle_weight * cycles + self.identity_weight * identity_loss(there, target)

        return loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Critics that know nothing say ½; generators that know nothing are grey, and images are not."""
        critic = (2 * math.log(2), 0.6)
        grey = 2 * self.cycle_weight + self.identity_weight
        generator = (0.8 * grey + math.log(2), 0.5 * grey)
        return {"critic_a": critic, "critic_b": critic, "forth": generator, "back": generator}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """Images for the outlines of the first held-out images."""
        return model(outline(self.data("test").images[:n]).to(rng.device))

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Scores of held-out outlines' translations against the true images, which training never paired."""
        from gdmcourse.metrics.classifier import class_accuracy
        from gdmcourse.metrics.features import feature_network
        from gdmcourse.metrics.paired import paired_scores

        dataset = self.scored_on()
        if dataset is None:
            return {}
        network, test = feature_network(dataset), self.data("test")
        made = self.sample(model, len(test), rng).cpu()
        scores = paired_scores(network, made, test.images)
        return {
            "l1": scores.l1,
            "psnr": scores.psnr,
            "features": scores.features,
            "class_accuracy": class_accuracy(network, made, test.labels),
        }


def _presets(dataset: str, halvings: int) -> dict[str, CycleGANRecipe]:
    laptop = CycleGANRecipe(
        dataset=dataset,
        steps=400,
        batch_size=32,
        lr=2e-3,
        warmup=50,
        ema_decay=0.99,
        halvings=halvings,
        cycle_weight=5.0,
        identity_weight=0.0,  # it would keep an outline's ink where it is, and there the image has none
        threads=1,
    )
    large: dict[str, Any] = {"width": 64, "steps": 20_000, "batch_size": 128, "lr": 2e-4}
    return laptop.presets(smoke={"width": 4, "pool": 10}, **large)


RECIPES = {
    # Half a minute on one core.
    "cyclegan-digits": _presets("digits", 1),
    "cyclegan-mnist": _presets("mnist", 2),
}
