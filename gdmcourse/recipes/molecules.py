"""A causal transformer on strings of a toy chemistry, symbol by symbol: `transformer-molecules`."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from gdmcourse.data.levels import bits_per_dim
from gdmcourse.data.molecules import LENGTH, SYMBOLS, canonical, decode, draw_molecules, encode
from gdmcourse.likelihood.autoregressive import log_prob
from gdmcourse.likelihood.transformer import Transformer, sample_cached
from gdmcourse.recipes.autoregressive import nats_per_symbol
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.randomness import derive_seed


@dataclass(frozen=True, kw_only=True)
class MoleculeRecipe(Recipe):
    """Rows of LENGTH symbols: a string, then ends."""

    strings: int = 4000  # in each split
    width: int
    layers: int
    heads: int
    dropout: float = 0.0
    clip_norm: float | None = 1.0
    scored: int = 1000  # strings that `metrics` draws

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("strings", self.strings >= 1, "at least 1")
        self.require("scored", self.scored >= 1, "at least 1")
        self.require("width", self.width >= 1, "at least 1")
        self.require("layers", self.layers >= 1, "at least 1")
        self.require("heads", self.heads >= 1 and self.width % self.heads == 0, "a divisor of width")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")

    def data(self, split: str) -> Tensor:
        """Strings of a split as rows of numbers."""
        return _rows(self.strings, split)

    def model(self, train: Tensor) -> Transformer:
        """The transformer for these rows."""
        return Transformer(
            len(SYMBOLS), LENGTH, width=self.width, layers=self.layers, heads=self.heads, dropout=self.dropout
        )

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Nats a symbol."""
        return nats_per_symbol

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """As many nats as symbols that are all equally probable, and soon less: most of a row is ends."""
        return {"loss": (math.log(len(SYMBOLS)), 0.8)}

    def draw(self, model: nn.Module, n: int, rng: torch.Generator) -> list[str]:
        """`n` strings from the trained network."""
        assert isinstance(model, Transformer)
        return decode(sample_cached(model, n, LENGTH, rng).cpu())

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits of a string, and the shares of strings drawn that are valid, unique and new."""
        from gdmcourse.metrics.novelty import novelty

        nats = torch.cat([log_prob(model, part.to(rng.device)) for part in self.data("test").split(500)])
        scores = novelty(self.draw(model, self.scored, rng), decode(self.data("train")), canonical)
        bits = bits_per_dim(nats, 1).mean().item()
        return {"bits": bits, "valid": scores.valid, "unique": scores.unique, "new": scores.new}


@lru_cache(maxsize=4)
def _rows(strings: int, split: str) -> Tensor:
    rng = torch.Generator().manual_seed(derive_seed(0, "molecules", split))
    return encode(draw_molecules(strings, rng))


RECIPES = {
    # A quarter of a minute on one core.
    "transformer-molecules": MoleculeRecipe(
        steps=700, batch_size=48, lr=6e-3, warmup=40, width=48, layers=2, heads=4, threads=1
    ).presets(
        smoke={"width": 16, "layers": 1, "strings": 50, "scored": 200},
        width=256,
        layers=4,
        steps=4000,
        batch_size=512,
        lr=1e-3,
        strings=50_000,
    ),
}
