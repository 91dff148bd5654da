"""A flow that is made straight: `reflow-ring`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.toys import toy_mixture
from gdmcourse.diffusion.flow import exact_flow, interpolate
from gdmcourse.diffusion.samplers.flow import flow_times, heun
from gdmcourse.nn.point_velocity import PointVelocity
from gdmcourse.probability import GaussianMixture
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.randomness import derive_seed


@dataclass(frozen=True, kw_only=True)
class ReflowRecipe(Recipe):
    """Flow matching on the pairs (x_0, ε) that a flow with an exact velocity makes (Liu et al. 2023)."""

    toy: str
    pairs: int = 10_000
    solved: int = 100  # steps of Heun's method in which the pairs are made
    width: int = 128

    def data(self, split: str) -> tuple[Tensor, Tensor]:
        """Ends and starts of the exact flow; each split has noise of its own."""
        return _pairs(self.toy, self.pairs, self.solved, split)

    def model(self, train: Any) -> nn.Module:
        """A small network."""
        return PointVelocity(train[0].shape[1], self.width)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """E ‖v(x_t, t) − (ε − x_0)‖² over the pairs."""

        def loss(model: Any, batch: Any, rng: torch.Generator) -> Tensor:
            x0, noise = batch
            t = torch.rand(len(x0), generator=rng, device=x0.device)
            return (model(interpolate(x0, noise, t), t) - (noise - x0)).square().mean()

        return loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of how far the points travel."""
        return {"loss": (0.6, 0.6)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """How far a single step of Euler's method ends from where the exact flow does, root mean square."""
        x0, noise = (part.to(rng.device) for part in self.data("test"))
        with torch.no_grad():
            one = noise - model(noise, noise.new_ones(len(noise)))
        return {"off": (one - x0).square().sum(1).mean().sqrt().item()}


@lru_cache(maxsize=4)
def _pairs(toy: str, n: int, steps: int, split: str) -> tuple[Tensor, Tensor]:
    law = GaussianMixture(*toy_mixture(toy))
    rng = torch.Generator().manual_seed(derive_seed(0, toy, split, "pairs"))
    noise = torch.randn(n, law.means.shape[1], generator=rng)
    # Denser near the data, where the paths of narrow modes part.
    times = [time**2 for time in flow_times(steps)]
    return heun(exact_flow(law), noise, times), noise


RECIPES = {
    # About fifteen seconds on one core.
    "reflow-ring": ReflowRecipe(
        toy="8gaussians", steps=3000, batch_size=256, lr=2e-3, warmup=100, ema_decay=0.99, threads=1
    ).presets(smoke={"pairs": 64, "width": 8, "solved": 10}, steps=20_000, batch_size=2048, width=256),
}
