"""A hidden Markov model that reads an image column by column, fitted by EM: `hmm-digits`."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.levels import LEVELS, bits_per_dim, from_levels, to_levels
from gdmcourse.likelihood.hmm import HMM
from gdmcourse.likelihood.hmm_em import ExpectationMaximisation
from gdmcourse.likelihood.hmm_emissions import SymbolEmission
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.fit import Loss, for_one
from gdmcourse.training.player import Player


@dataclass(frozen=True, kw_only=True)
class ColumnsRecipe(ImageRecipe):
    """EM on images as sequences of columns, whose pixels are independent grey levels given the state.

    The loss holds a prior: as if every level had been seen `pseudo_count` times more at each place in each
    state, and every move `pseudo_moves` times. With a batch of all images a step is one of Baum and Welch.
    """

    states: int
    pseudo_count: float = 0.2
    pseudo_moves: float = 0.01

    def check(self) -> None:
        """Raise ValueError for a number of states or a pseudo-count that can't be."""
        super().check()
        self.require("states", self.states >= 1, "at least 1")
        self.require("pseudo_count", self.pseudo_count >= 0, "at least 0")
        self.require("pseudo_moves", self.pseudo_moves >= 0, "at least 0")

    def levels(self) -> int:
        """How many values a pixel can have."""
        return LEVELS.get(self.dataset, 256)

    def columns(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) as sequences (N, W, C·H) of grey levels."""
        return to_levels(images, self.levels()).permute(0, 3, 1, 2).flatten(2)

    def images(self, columns: Tensor) -> Tensor:
        """The images (N, C, H, W) of such sequences."""
        channels, height, _ = self.shape()
        return from_levels(columns.unflatten(2, (channels, height)).permute(0, 2, 3, 1), self.levels())

    def tensors(self, train: Dataset) -> Tensor:
        """The sequences of columns."""
        return self.columns(train.images)

    def model(self, train: Dataset) -> HMM:
        """A chain whose states show blurred copies of training columns drawn at random, and move anywhere."""
        columns = self.columns(train.images).flatten(0, 1)
        place = columns.device
        chosen = columns[torch.randint(len(columns), (self.states,), device=place)]
        distance = (torch.arange(self.levels(), device=place) - chosen[..., None]) / (self.levels() - 1)
        bumps = (-8 * distance.square()).softmax(-1)
        even = torch.full((self.states,), 1 / self.states, device=place)
        return HMM(even, even.expand(self.states, -1), SymbolEmission(0.8 * bumps + 0.2 / self.levels()))

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Minus the log-likelihood of a pixel and its share of the prior's logarithm, in nats."""
        number = len(self.data("train"))

        def loss(model: Any, batch: Tensor, rng: torch.Generator) -> Tensor:
            nats = -model(batch).mean()
            seen = self.pseudo_count * model.emission.table.sum()
            moved = self.pseudo_moves * (model.initial.sum() + model.transition.sum())
            return (nats - (seen + moved) / number) / math.prod(batch.shape[1:])

        return loss

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """One, who moves by the M-step."""
        em = ExpectationMaximisation(modules["model"].parameters())
        return {"model": Player(loss=for_one(self.loss(device)), optimizer=em)}

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Less than all levels alike would cost."""
        return {"loss": (2.2, 0.6)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images: a walk through the states, and a column from each."""
        assert isinstance(model, HMM)
        return self.images(model.sample(n, self.shape()[2], rng)[0])

    @torch.no_grad()
    def held_out_bits(self, model: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
        """Bits a pixel of each test image, exact; draws nothing."""
        columns = self.columns(self.data("test").images).to(rng.device)
        return {"exact": bits_per_dim(model(columns), math.prod(columns.shape[1:]))}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a pixel."""
        return {f"bits_{name}": bits.mean().item() for name, bits in self.held_out_bits(model, rng).items()}


RECIPES = {
    # About two seconds on one core.
    "hmm-digits": ColumnsRecipe(
        dataset="digits", steps=40, batch_size=1442, states=64, save_every=20, threads=1
    ).presets(smoke={"states": 4}, states=256, batch_size=1442, compile=False),
}
