"""Autoregressive models of images: MADE, PixelCNN, row LSTM and transformer on digits."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.levels import LEVELS, bits_per_dim, from_levels, to_levels
from gdmcourse.likelihood.autoregressive import Autoregressive, log_prob, sample
from gdmcourse.likelihood.made import MADE
from gdmcourse.likelihood.pixelcnn import GatedPixelCNN, as_images, as_sequences
from gdmcourse.likelihood.row_lstm import RowLSTM
from gdmcourse.likelihood.transformer import Transformer, sample_cached
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss


def nats_per_symbol(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    """Minus the log-likelihood of a symbol; draws nothing."""
    logits = model(batch)
    return nn.functional.cross_entropy(logits.flatten(0, 1), batch.flatten())


@dataclass(frozen=True, kw_only=True)
class AutoregressiveImages(ImageRecipe):
    """Images as sequences of stored grey levels, trained on the exact log-likelihood."""

    width: int
    dropout: float = 0.0
    clip_norm: float | None = 1.0

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")

    def levels(self) -> int:
        """How many values a pixel can have; a folder's images have 8 bits."""
        return LEVELS.get(self.dataset, 256)

    def sequences(self, data: Dataset) -> Tensor:
        """The images as whole numbers in raster order."""
        return as_sequences(to_levels(data.images, self.levels()))

    def tensors(self, train: Dataset) -> Tensor:
        """Sequences alone; no label is learnt."""
        return self.sequences(train)

    def network(self, shape: tuple[int, int, int]) -> Autoregressive:
        """The network for images of this shape."""
        raise NotImplementedError

    def model(self, train: Dataset) -> Autoregressive:
        """The network for the shape of `train`."""
        _, c, h, w = train.images.shape
        return self.network((c, h, w))

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Nats a pixel."""
        return nats_per_symbol

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About as many nats as levels that are all equally probable."""
        return {"loss": (math.log(self.levels()), 0.5)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images, pixel after pixel."""
        c, h, w = self.shape()
        if isinstance(model, Transformer):
            x = sample_cached(model, n, c * h * w, rng)
        else:
            x = sample(model, n, c * h * w, rng)
        return from_levels(as_images(x, (c, h, w)), self.levels())

    @torch.no_grad()
    def held_out_bits(self, model: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
        """Exact bits a pixel of each test image; draws nothing."""
        x = self.sequences(self.data("test")).to(rng.device)
        nats = torch.cat([log_prob(model, part) for part in x.split(500)])
        return {"exact": bits_per_dim(nats, x.shape[1])}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a pixel."""
        return {f"bits_{name}": bits.mean().item() for name, bits in self.held_out_bits(model, rng).items()}


@dataclass(frozen=True, kw_only=True)
class MADERecipe(AutoregressiveImages):
    """Masked linear layers."""

    def network(self, shape: tuple[int, int, int]) -> MADE:
        """A MADE over all pixels."""
        return MADE(math.prod(shape), self.levels(), self.width, self.dropout)


@dataclass(frozen=True, kw_only=True)
class PixelCNNRecipe(AutoregressiveImages):
    """Masked convolutions in two stacks."""

    layers: int

    def check(self) -> None:
        """Raise ValueError for a network without a layer."""
        super().check()
        self.require("layers", self.layers >= 1, "at least 1")

    def network(self, shape: tuple[int, int, int]) -> GatedPixelCNN:
        """A gated PixelCNN."""
        return GatedPixelCNN(shape, self.levels(), self.width, self.layers, self.dropout)


@dataclass(frozen=True, kw_only=True)
class RowLSTMRecipe(AutoregressiveImages):
    """A recurrent network, row by row."""

    def network(self, shape: tuple[int, int, int]) -> RowLSTM:
        """A row LSTM."""
        return RowLSTM(shape, self.levels(), self.width, self.dropout)


@dataclass(frozen=True, kw_only=True)
class PixelTransformerRecipe(AutoregressiveImages):
    """A causal transformer that reads pixels as it would read characters."""

    layers: int
    heads: int

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("layers", self.layers >= 1, "at least 1")
        self.require("heads", self.heads >= 1 and self.width % self.heads == 0, "a divisor of width")

    def network(self, shape: tuple[int, int, int]) -> Transformer:
        """A transformer over all pixels."""
        return Transformer(
            self.levels(),
            math.prod(shape),
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            dropout=self.dropout,
        )


RECIPES = {
    # Ten to fifteen seconds on one core each.
    "made-digits": MADERecipe(
        dataset="digits", steps=600, batch_size=64, lr=3e-3, warmup=50, width=512, dropout=0.3, threads=1
    ).presets(smoke={"width": 64}, width=2048, steps=4000, lr=1e-3, dropout=0.5),
    "pixelcnn-digits": PixelCNNRecipe(
        dataset="digits",
        steps=350,
        batch_size=32,
        lr=8e-3,
        warmup=50,
        width=24,
        layers=4,
        dropout=0.2,
        threads=1,
    ).presets(smoke={"width": 8, "layers": 2}, width=64, layers=8, steps=4000, lr=2e-3, dropout=0.5),
    "rowlstm-digits": RowLSTMRecipe(
        dataset="digits", steps=350, batch_size=32, lr=1e-2, warmup=50, width=32, dropout=0.2, threads=1
    ).presets(smoke={"width": 8}, width=96, steps=4000, lr=2e-3, dropout=0.5),
    "transformer-digits": PixelTransformerRecipe(
        dataset="digits",
        steps=450,
        batch_size=24,
        lr=1e-2,
        warmup=50,
        width=48,
        layers=2,
        heads=2,
        dropout=0.1,
        threads=1,
    ).presets(smoke={"width": 16, "layers": 1}, width=128, layers=6, steps=4000, lr=1e-3, dropout=0.3),
}
