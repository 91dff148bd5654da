"""Normalizing flows: `flow-toy` on points in the plane, `flow-digits` on images."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.data.levels import LEVELS, bin_width, bits_per_dim, dequantise, from_levels
from gdmcourse.data.toys import toy
from gdmcourse.likelihood.flow import Flow, real_nvp
from gdmcourse.likelihood.gaussianise import Gaussianise
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST = 10_000  # rows on which ActNorm and the histograms are set


@dataclass(frozen=True, kw_only=True)
class PointFlowRecipe(Recipe):
    """A RealNVP on points in the plane."""

    toy: str
    points: int = 10_000
    blocks: int
    width: int

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("blocks", self.blocks >= 0, "at least 0")
        self.require("width", self.width >= 1, "at least 1")

    def data(self, split: str) -> Tensor:
        """Points of the toy; each split has noise of its own."""
        return toy(self.toy, self.points, torch.Generator().manual_seed(derive_seed(0, self.toy, split)))

    def model(self, train: Tensor) -> Flow:
        """The flow before its first batch."""
        rng = torch.Generator("cpu").manual_seed(derive_seed(self.seed, "orders"))
        dim = train.shape[1]
        return Flow(real_nvp(dim, blocks=self.blocks, width=self.width, rng=rng), dim)

    def build(self, train: Tensor) -> dict[str, nn.Module]:
        """The flow, initialised on data."""
        modules = super().build(train)
        flow = modules["model"]
        assert isinstance(flow, Flow)
        flow.initialise(train[:FIRST])
        return modules

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Minus the log-likelihood of a point, in nats."""
        return nats_per_point

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About what a Gaussian of the data's mean and variances has."""
        return {"loss": (2.0, 0.5)}

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """Samples beside data."""
        from matplotlib.figure import Figure

        from gdmcourse.plots import INK

        assert isinstance(model, Flow)
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        clouds = {"data": self.data("test")[:2000], "samples": model.sample(2000, rng).cpu()}
        for axes, (title, points) in zip(figure.subplots(1, 2), clouds.items(), strict=True):
            axes.scatter(points[:, 0], points[:, 1], s=2, color=INK)
            axes.set(title=title, aspect="equal", xlim=(-2.2, 2.2), ylim=(-1.5, 1.5))
        return figure

    @torch.no_grad()
    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Minus the log-likelihood of a held-out point, in nats."""
        assert isinstance(model, Flow)
        return {"nats": -model.log_prob(self.data("test").to(rng.device)).mean().item()}


@dataclass(frozen=True, kw_only=True)
class ImageFlowRecipe(ImageRecipe):
    """A RealNVP on dequantised pixels; with `gaussianise` each goes through its own histogram first."""

    blocks: int
    width: int
    dropout: float = 0.0
    gaussianise: bool = True
    draws: int = 16  # of the noise in a pixel, for the tighter bound
    clip_norm: float | None = 5.0

    def check(self) -> None:
        """Raise ValueError for sizes that can't be."""
        super().check()
        self.require("blocks", self.blocks >= 0, "at least 0")
        self.require("width", self.width >= 1, "at least 1")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        self.require("draws", self.draws >= 1, "at least 1")

    def levels(self) -> int:
        """How many values a stored pixel can have; 256 in a folder of images."""
        return LEVELS.get(self.dataset, 256)

    def model(self, train: Dataset) -> Flow:
        """The flow before its first batch."""
        rng = torch.Generator("cpu").manual_seed(derive_seed(self.seed, "orders"))
        dim = math.prod(train.images.shape[1:])
        first = [Gaussianise(dim, self.levels())] if self.gaussianise else []
        rest = real_nvp(dim, blocks=self.blocks, width=self.width, dropout=self.dropout, rng=rng)
        return Flow([*first, *rest], dim)

    def build(self, train: Dataset) -> dict[str, nn.Module]:
        """The flow, initialised on data."""
        modules = super().build(train)
        flow = modules["model"]
        assert isinstance(flow, Flow)
        rng = torch.Generator().manual_seed(derive_seed(self.seed, "first"))
        flow.initialise(self.pixels(train.images[:FIRST], rng))
        return modules

    def pixels(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images as dequantised rows."""
        return dequantise(images, self.levels(), rng).flatten(1)

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """Bits a pixel, with fresh noise each time."""

        def bits(model: nn.Module, batch: Any, rng: torch.Generator) -> Tensor:
            return self.bits(model, self.pixels(batch[0], rng)).mean()

        return bits

    def bits(self, model: nn.Module, x: Tensor) -> Tensor:
        """What each row costs, in bits a pixel."""
        z, log_det = model(x)  # and not log_prob, which a compiled or distributed network doesn't have
        normal = -0.5 * (z.square().sum(1) + z.shape[1] * math.log(2 * math.pi))
        return bits_per_dim(normal + log_det, x.shape[1], levels=self.levels())

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """About what the pixels' histograms cost."""
        return {"loss": (2.4, 0.4)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images with the stored levels."""
        assert isinstance(model, Flow)
        x = model.sample(n, rng).view(n, *self.shape())
        level = ((x + 1) / bin_width(self.levels())).round().clamp(0, self.levels() - 1)
        return from_levels(level.long(), self.levels())

    @torch.no_grad()
    def held_out_bits(self, model: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
        """Bits a pixel of each test image: "bound" from one draw of the noise, "importance" from `draws`.

        Both are above the discrete model's bits in the mean, the second by less. Source: `eq-dequantisation`,
        `eq-dequantisation-draws`.
        """
        images = self.data("test").images.to(rng.device)
        bits = torch.stack([self.bits(model, self.pixels(images, rng)) for _ in range(self.draws)])
        nats = -bits.double() * math.log(2) * images[0].numel()
        mean = torch.logsumexp(nats, 0) - math.log(self.draws)
        return {"bound": bits[0], "importance": bits_per_dim(mean, images[0].numel()).to(bits)}

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Held-out bits a pixel."""
        return {f"{name}_bits": bits.mean().item() for name, bits in self.held_out_bits(model, rng).items()}


def nats_per_point(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    """Minus the log-likelihood of a point; draws nothing."""
    z, log_det = model(batch)
    return (0.5 * z.square().sum(1) - log_det).mean() + 0.5 * z.shape[1] * math.log(2 * math.pi)


RECIPES = {
    # A quarter of a minute on one core.
    "flow-toy": PointFlowRecipe(
        toy="moons",
        steps=1200,
        batch_size=256,
        lr=4e-3,
        warmup=100,
        ema_decay=0.99,
        blocks=4,
        width=64,
        threads=1,
    ).presets(smoke={"width": 8, "points": 200}, steps=20_000, batch_size=2048, width=256),
    # Less than half a minute on one core.
    "flow-digits": ImageFlowRecipe(
        dataset="digits",
        steps=1500,
        batch_size=128,
        lr=2e-3,
        warmup=100,
        ema_decay=0.995,
        blocks=3,
        width=64,
        dropout=0.2,
        threads=1,
    ).presets(smoke={"width": 8, "blocks": 1, "draws": 2}, steps=10_000, blocks=6, width=256, dropout=0.4),
}
