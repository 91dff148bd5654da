"""A causal transformer on the sentences of this course, character by character: `transformer-text`."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdmcourse.data.levels import bits_per_dim
from gdmcourse.data.sentences import CHARACTERS, sentences, windows
from gdmcourse.likelihood.autoregressive import log_prob
from gdmcourse.likelihood.transformer import Transformer
from gdmcourse.recipes.autoregressive import nats_per_symbol
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class TextRecipe(Recipe):
    """Windows of `length` characters of a text, each a sequence of its own."""

    length: int
    width: int
    layers: int
    heads: int
    dropout: float = 0.0
    clip_norm: float | None = 1.0

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("length", self.length >= 1, "at least 1")
        self.require("width", self.width >= 1, "at least 1")
        self.require("layers", self.layers >= 1, "at least 1")
        self.require("heads", self.heads >= 1 and self.width % self.heads == 0, "a divisor of width")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")

    def data(self, split: str) -> Tensor:
        """Windows of the text: overlapping ones to train on, and such as share nothing to test."""
        return windows(sentences(split), self.length, self.length if split == "test" else 8)

    def model(self, train: Tensor) -> Transformer:
        """The transformer for these windows."""
        return Transformer(
            len(CHARACTERS),
            self.length,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            dropout=self.dropout,
        )

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Nats a character."""
        return nats_per_symbol

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About as many nats as characters that are all equally probable."""
        return {"loss": (math.log(len(CHARACTERS)), 0.5)}

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a character, of windows that begin without a past."""
        nats = torch.cat([log_prob(model, part.to(rng.device)) for part in self.data("test").split(100)])
        return {"bits": bits_per_dim(nats, self.length).mean().item()}


RECIPES = {
    # Half a minute on one core.
    "transformer-text": TextRecipe(
        steps=1500, batch_size=16, lr=1.2e-2, warmup=40, length=64, width=64, layers=2, heads=4, threads=1
    ).presets(
        smoke={"width": 16, "layers": 1, "length": 32},
        width=256,
        layers=6,
        length=256,
        steps=4000,
        batch_size=128,
        lr=1e-3,
        dropout=0.2,
    ),
}
