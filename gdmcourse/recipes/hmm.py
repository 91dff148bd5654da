"""A hidden Markov model of a casino's dice, fitted by EM: `hmm-dice`."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dice import casino, roll_dice
from gdmcourse.likelihood.hmm import HMM
from gdmcourse.likelihood.hmm_em import ExpectationMaximisation
from gdmcourse.likelihood.hmm_emissions import SymbolEmission
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss, for_one
from gdmcourse.training.player import Player
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class DiceRecipe(Recipe):
    """EM on sequences of rolls; with a batch of all sequences a step is one of Baum and Welch."""

    states: int = 2
    length: int  # rolls in a sequence
    sequences: int

    def check(self) -> None:
        """Raise ValueError for a number of states that can't be."""
        super().check()
        self.require("states", self.states >= 1, "at least 1")

    def rolls(self, split: str) -> tuple[Tensor, Tensor]:
        """Rolls of a split and the dice behind them, which training doesn't see."""
        rng = torch.Generator().manual_seed(derive_seed(0, "dice", split))
        return roll_dice(self.sequences, self.length, rng)

    def data(self, split: str) -> Tensor:
        """Rolls as symbols 0 … 5, a row a sequence."""
        return self.rolls(split)[0]

    def model(self, train: Tensor) -> HMM:
        """A chain with random tables."""
        initial, transition, emission = (
            torch.randn(shape, device=train.device).softmax(-1)
            for shape in ((self.states,), (self.states, self.states), (self.states, 6))
        )
        return HMM(initial, transition, SymbolEmission(emission))

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Minus the log-likelihood of a roll, in nats."""
        return nats_per_roll

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """One, who moves by the M-step."""
        em = ExpectationMaximisation(modules["model"].parameters())
        return {"model": Player(loss=for_one(self.loss(device)), optimizer=em)}

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About as many nats as six equal sides."""
        return {"loss": (math.log(6), 0.5)}

    @torch.no_grad()
    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """The dice behind a held-out sequence, and the path that the rolls tell of."""
        from matplotlib.figure import Figure

        from gdmcourse.plots import INK, PALETTE

        rolls, dice = (part[:1] for part in self.rolls("test"))
        path = loaded_die(model, rolls.to(rng.device)).cpu()
        figure = Figure(figsize=(7.0, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.scatter(range(rolls.shape[1]), rolls[0] + 1, s=8, color=INK, label="roll")
        for states, height, colour, label in (
            (dice, 7, PALETTE[0], "loaded die"),
            (path, 8, PALETTE[1], "most probable path"),
        ):
            steps = states[0].nonzero()[:, 0]
            axes.scatter(steps, torch.full_like(steps, height), s=8, marker="s", color=colour, label=label)
        axes.set_xlabel("roll number")
        axes.set_yticks(range(1, 7))
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a roll, of the model and of the casino's own law; the share of dice told right."""
        rolls, dice = (part.to(rng.device) for part in self.rolls("test"))
        initial, transition, emission = casino()
        law = HMM(initial, transition, SymbolEmission(emission)).to(rng.device)
        bits: dict[str, Any] = {
            name: nats_per_roll(chain, rolls, rng).item() / math.log(2)
            for name, chain in (("bits", model), ("bits_of_the_law", law))
        }
        told = (loaded_die(model, rolls) == dice).double().mean().item()
        return {**bits, "dice_told": told}


def nats_per_roll(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    """Minus the log-likelihood of a roll; draws nothing."""
    return -model(batch).mean() / batch.shape[1]


def loaded_die(model: nn.Module, rolls: Tensor) -> Tensor:
    """1 where the most probable path is in the state that shows most sixes, 0 elsewhere."""
    assert isinstance(model, HMM)
    assert isinstance(model.emission, SymbolEmission)
    return (model.decode(rolls) == model.emission.table[:, 5].argmax()).long()


RECIPES = {
    "hmm-dice": DiceRecipe(
        steps=150, batch_size=200, length=100, sequences=200, save_every=20, threads=1
    ).presets(smoke={"sequences": 8, "length": 20}, batch_size=2000, sequences=2000, compile=False),
}
