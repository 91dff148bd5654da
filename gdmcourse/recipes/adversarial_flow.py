"""Games between numbers, with a cost of transport: `adversarial-flow-line`."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gdmcourse.gan.penalties import input_gradients
from gdmcourse.hybrid.adversarial_flow import LineNetworks, flipped, transport_cost
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.player import Player, Turn
from gdmcourse.training.randomness import derive_seed
from gdmcourse.training.unwrapped import unwrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class LineRecipe(Recipe):
    """GANs from N(0, 1) to N(mean, std²): `starts` seeds at each weight λ of E(G(z) − z)², all in one tensor.

    λ falls in a straight line and is 0 from the middle of the training on. Game k has the weight of number
    k // starts and the start of number k % starts. A batch is the numbers that each game sees.
    """

    result = "generator"

    mean: float = 1.0
    std: float = 0.5
    weights: tuple[float, ...] = (0.0, 0.03, 0.3)
    starts: int = 20
    width: int = 16
    penalty: float = 0.3  # γ of R1 and R2
    numbers: int = 10_000  # in the training data

    def check(self) -> None:
        """Raise ValueError for numbers that can't be."""
        super().check()
        self.require("std", self.std > 0, "above 0")
        self.require("weights", bool(self.weights) and min(self.weights) >= 0, "at least one, none below 0")
        self.require("starts", self.starts >= 1, "at least 1")
        self.require("width", self.width >= 1, "at least 1")
        self.require("penalty", self.penalty >= 0, "at least 0")

    def data(self, split: str) -> Tensor:
        """Numbers from N(mean, std²); each split has draws of its own."""
        rng = torch.Generator().manual_seed(derive_seed(0, "line", split))
        return self.mean + self.std * torch.randn(self.numbers, generator=rng)

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """A generator and a critic for each game."""
        sizes = self.starts, len(self.weights), self.width
        return {"generator": LineNetworks(*sizes), "critic": LineNetworks(*sizes)}

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critics, then the generators; losses are sums over the games, which don't see each other."""
        rule = torch.tensor(self.weights, device=device).repeat_interleave(self.starts)

        def judge(networks: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
            real = batch.expand(len(rule), -1)
            with torch.no_grad():
                fake = networks.generator(self.noise(len(batch), turn.rng))
            loss = softplus(-networks.critic(real)) + softplus(networks.critic(fake))
            bare = unwrapped(networks).critic
            slopes = sum(input_gradients(bare, x).square() for x in (real, fake))
            return (loss + self.penalty / 2 * slopes).mean(1).sum()

        def move(networks: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
            z = self.noise(len(batch), turn.rng)
            x = networks.generator(z)
            weight = max(0.0, 1 - 2 * turn.step / max(1, self.steps)) * rule
            return (softplus(-networks.critic(x)).mean(1) + weight * transport_cost(z, x)).sum()

        rules = {"lr": self.rate(), "betas": (0.0, 0.99)}
        return {"critic": Player(loss=judge, **rules), "generator": Player(loss=move, **rules)}  # type: ignore[arg-type]

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """Numbers from N(0, 1) for each game, (games, n)."""
        return torch.randn(len(self.weights) * self.starts, n, generator=rng, device=rng.device)

    @torch.no_grad()
    def maps(self, model: nn.Module, z: Tensor) -> Tensor:
        """G(z) of each game at the numbers z (n,), as (weights, starts, n)."""
        games = len(self.weights) * self.starts
        return model(z.expand(games, -1)).reshape(len(self.weights), self.starts, -1)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½, up to its random slope; there are so many games."""
        games = len(self.weights) * self.starts
        return {"critic": (1.8 * games, 0.6 * games), "generator": (1.1 * games, 0.6 * games)}

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """The maps at each weight."""
        from matplotlib.figure import Figure

        z = torch.linspace(-2.5, 2.5, 101)
        maps = self.maps(model, z.to(rng.device)).cpu()
        figure = Figure(figsize=(2.6 * len(self.weights), 2.8), layout="constrained")
        axes = figure.subplots(1, len(self.weights), sharey=True, squeeze=False)[0]
        for ax, weight, lines in zip(axes, self.weights, maps, strict=True):
            ax.plot(z, lines.T, linewidth=0.8)
            ax.set(title=f"λ = {weight:g}", xlabel="z")
        return figure

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """At each weight the share of flipped maps, and how far the spread is from the data's."""
        z = torch.randn(2000, generator=rng, device=rng.device)
        x = self.maps(model, z)
        scores = {}
        for weight, games in zip(self.weights, x, strict=True):
            scores[f"flipped_{weight:g}"] = flipped(z, games).double().mean().item()
            scores[f"spread_{weight:g}"] = (games.std(-1) / self.std).log().abs().mean().exp().item()
        return scores


RECIPES = {
    # Five seconds on one core, sixty games together.
    "adversarial-flow-line": LineRecipe(
        steps=1000, batch_size=64, lr=5e-3, warmup=20, ema_decay=None, threads=1
    ).presets(
        smoke={"starts": 2, "width": 4, "numbers": 100},
        starts=500,
        width=64,
        steps=5000,
        batch_size=1024,
        numbers=100_000,
        compile=False,
    ),
}
