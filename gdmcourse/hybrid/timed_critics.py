"""One critic for all noise levels: it is given the time, and its logit may depend on it."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.gan.networks import PointCritic
from gdmcourse.nn.time_embedding import sinusoidal

FREQUENCIES = 16


class TimedPointCritic(nn.Module):
    """Points (N, dim) and their times to one logit each: sines and cosines of the time stand beside the point."""

    def __init__(self, dim: int = 2, width: int = 128, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.body = PointCritic(dim + FREQUENCIES, width)

    def forward(self, y: Float[Tensor, "n dim"], t: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        """A logit for each pair of a noised point and its time."""
        return self.body(torch.cat([y / self.scale, sinusoidal(t, FREQUENCIES).to(y)], dim=1))


class TimedImageCritic(nn.Module):
    """f(y, t) = v_tᵀ φ(y) + ψ(φ(y)), with φ the features of an `ImageCritic` and ψ its last layer.

    That is the projection of a conditional critic with the time in the place of the label; v_t is a linear
    function of sines and cosines of t, and 0 before training.
    """

    def __init__(self, shape: tuple[int, int, int], width: int = 16, norm: str = "none") -> None:
        super().__init__()
        self.body = ImageCritic(shape, width, norm)
        self.of_time = nn.Linear(FREQUENCIES, self.body.size)
        nn.init.zeros_(self.of_time.weight)
        nn.init.zeros_(self.of_time.bias)

    def forward(self, y: Float[Tensor, "n c h w"], t: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        """A logit for each pair of a noised image and its time."""
        features = self.body.features(y)
        by_time = self.of_time(sinusoidal(t, FREQUENCIES).to(features))
        return self.body.last(features).squeeze(1) + (by_time * features).sum(1)
