"""A WaveNet on the waves of a plucked string, whose law is known: `wavenet-waves`."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gdmcourse.data.levels import bits_per_dim
from gdmcourse.data.strings import LEVELS, PERIOD, pluck, pluck_log_prob
from gdmcourse.likelihood.autoregressive import log_prob, sample
from gdmcourse.likelihood.wavenet import WaveNet
from gdmcourse.recipes.autoregressive import nats_per_symbol
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class WaveRecipe(Recipe):
    """Dilated convolutions on waves of `length` symbols."""

    width: int
    dilations: tuple[int, ...]
    length: int = 128
    waves: int = 2000
    clip_norm: float | None = 1.0

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("dilations", all(dilation >= 1 for dilation in self.dilations), "numbers from 1 on")

    def data(self, split: str) -> Tensor:
        """Waves of a split, as symbols."""
        rng = torch.Generator().manual_seed(derive_seed(0, "waves", split))
        return pluck(self.waves if split == "train" else 200, self.length, rng)

    def model(self, train: Tensor) -> WaveNet:
        """The network."""
        return WaveNet(LEVELS, self.width, self.dilations)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Nats a symbol."""
        return nats_per_symbol

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About as many nats as levels that are all equally probable."""
        return {"loss": (math.log(LEVELS), 0.5)}

    @torch.no_grad()
    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """A held-out wave, and how its pluck goes on when the network has its way."""
        from matplotlib.figure import Figure

        wave = self.data("test")[:1]
        drawn = sample(model, 1, self.length, rng, given=wave[:, : PERIOD + 1].to(rng.device)).cpu()
        figure = Figure(figsize=(7.0, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.step(range(self.length), wave[0], label="held out")
        axes.step(range(self.length), drawn[0], label="drawn")
        axes.set_xlabel("time")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a symbol, of the network and of the law that made the waves."""
        waves = self.data("test")
        found = {
            "bits": log_prob(model, waves.to(rng.device)),
            "bits_of_the_law": pluck_log_prob(waves).sum(1),
        }
        return {name: bits_per_dim(nats, self.length).mean().item() for name, nats in found.items()}


RECIPES = {
    # About ten seconds on one core.
    "wavenet-waves": WaveRecipe(
        steps=350, batch_size=16, lr=5e-3, warmup=40, width=16, dilations=(1, 2, 4, 8, 16), threads=1
    ).presets(smoke={"width": 8, "waves": 50}, width=64, steps=4000, batch_size=128, lr=2e-3, waves=20_000),
}
