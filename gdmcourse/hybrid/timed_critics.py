"""One critic for all noise levels: f(y, t) = v_tᵀ φ(y) + ψ(φ(y)), φ and ψ as in a critic without time.

That is the projection of a conditional critic with the time in the place of the label (`eq-projection`). v_t
is a linear function of sines and cosines of t, and 0 before training.
"""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.gan.networks import PointCritic
from gdmcourse.nn.time_embedding import sinusoidal

FREQUENCIES = 16


class _OfTime(nn.Module):
    """What the time adds to the logits, of features (N, size) and times (N,)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.project = nn.Linear(FREQUENCIES, size)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, features: Float[Tensor, "n size"], t: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        return (self.project(sinusoidal(t, FREQUENCIES).to(features)) * features).sum(1)


class TimedPointCritic(nn.Module):
    """Points (N, dim) and their times to one logit each."""

    def __init__(self, dim: int = 2, width: int = 128, scale: float = 1.0) -> None:
        super().__init__()
        self.body = PointCritic(dim, width, scale=scale)
        self.of_time = _OfTime(width)

    def forward(self, y: Float[Tensor, "n dim"], t: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        """A logit for each pair of a noised point and its time."""
        features = self.body.hidden(y / self.body.scale)
        return self.body.last(features).squeeze(1) + self.of_time(features, t)


class TimedImageCritic(nn.Module):
    """Images (N, C, H, W) and their times to one logit each."""

    def __init__(self, shape: tuple[int, int, int], width: int = 16, norm: str = "none") -> None:
        super().__init__()
        self.body = ImageCritic(shape, width, norm)
        self.of_time = _OfTime(self.body.size)

    def forward(self, y: Float[Tensor, "n c h w"], t: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        """A logit for each pair of a noised image and its time."""
        features = self.body.features(y)
        return self.body.last(features).squeeze(1) + self.of_time(features, t)
