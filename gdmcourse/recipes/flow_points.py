"""Flow matching of points in the plane whose modes are known: `flow-grid`."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdmcourse.data.toys import MIXTURES, toy, toy_mixture
from gdmcourse.diffusion.flow import flow_matching_loss
from gdmcourse.diffusion.samplers.flow import flow_times, heun
from gdmcourse.nn.point_velocity import PointVelocity
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.randomness import derive_seed


@dataclass(frozen=True, kw_only=True)
class PointFlowRecipe(Recipe):
    """A small network learns the velocity from noise to the toy, in units of the toy's spread."""

    toy: str
    points: int = 10_000  # in the training data
    width: int = 128
    sample_steps: int = 30  # of Heun's method

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("sample_steps", self.sample_steps >= 1, "at least 1")

    def data(self, split: str) -> Tensor:
        """Points of the toy; each split has noise of its own."""
        return toy(self.toy, self.points, torch.Generator().manual_seed(derive_seed(0, self.toy, split)))

    def scale(self) -> float:
        """The spread of the training data."""
        return self.data("train").std().item()

    def tensors(self, train: Tensor) -> Tensor:
        """The points in units of their spread."""
        return train / train.std()

    def model(self, train: Tensor) -> nn.Module:
        """A small network."""
        return PointVelocity(train.shape[1], self.width)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """E ‖v(x_t, t) − (ε − x_0)‖²."""
        return flow_matching_loss()

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of ε − x_0."""
        return {"loss": (2.0, 0.6)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` points, along times that are denser near the data, where the paths of narrow modes part."""
        noise = torch.randn(n, 2, generator=rng, device=rng.device)
        return self.scale() * heun(model, noise, [time**2 for time in flow_times(self.sample_steps)])

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Modes found among 2500 samples, as PacGAN counts, and the share within three deviations of one."""
        if self.toy not in MIXTURES:
            return {}
        from gdmcourse.metrics.mode_coverage import mode_coverage

        law = toy_mixture(self.toy)
        coverage = mode_coverage(
            self.sample(model, 2500, rng).cpu(), law.means, law.covariances[0, 0, 0].sqrt().item()
        )
        return {"modes": float(coverage.modes), "high_quality": coverage.high_quality}


RECIPES = {
    # About ten seconds on one core.
    "flow-grid": PointFlowRecipe(
        toy="25gaussians", steps=3000, batch_size=512, lr=2e-3, warmup=100, ema_decay=0.995, threads=1
    ).presets(smoke={"points": 64, "width": 8}, steps=20_000, batch_size=2048, width=256, points=100_000),
}
