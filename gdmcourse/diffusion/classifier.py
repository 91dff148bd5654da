"""A classifier that is told how noisy its input is, for classifier guidance."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.diffusion.denoiser import schedule_on
from gdmcourse.diffusion.forward import q_sample
from gdmcourse.diffusion.objective import draw_times
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.nn.labels import check_labels
from gdmcourse.nn.residual import ResidualBlock
from gdmcourse.nn.time_embedding import sinusoidal


class NoisyClassifier(nn.Module):
    """Maps (x_t, t) to class logits, in the shape of the course's sources.

    Two 3×3 convolutions (the second halves the image), one residual block, the mean over the pixels, the
    sinusoidal embedding of t beside it, and a linear layer after a hidden one.
    """

    def __init__(
        self, channels: int = 1, num_classes: int = 10, *, width: int = 64, embedding_dim: int = 128
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.SiLU(),
        )
        self.block = ResidualBlock(2 * width, 2 * width, embedding_dim)
        self.head = nn.Sequential(
            nn.Linear(2 * width + embedding_dim, 2 * width), nn.SiLU(), nn.Linear(2 * width, num_classes)
        )

    def forward(self, x_t: Float[Tensor, "n c h w"], t: Int[Tensor, " n"]) -> Float[Tensor, "n k"]:
        """Class logits of images at noise levels t, 0 for clean ones."""
        embedding = sinusoidal(t, self.embedding_dim)
        pooled = self.block(self.features(x_t), embedding).mean(dim=(2, 3))
        return self.head(torch.cat([pooled, embedding], dim=1))


def noisy_classifier_loss(
    schedule: Schedule,
) -> Callable[[nn.Module, tuple[Tensor, ...], torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit` of a classifier for guidance: cross-entropy on x_t at random t.

    A batch is (images, labels). One that is trained on clean images alone gives gradients at noise
    that mean nothing (`slips`). Raises ValueError for a label that the network has no logit for.
    """

    def loss(network: nn.Module, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        x0, y = batch
        t = draw_times(len(x0), schedule.T, generator)
        noise = torch.randn(x0.shape, generator=generator, device=generator.device)
        x_t = q_sample(schedule_on(schedule, x0.device), x0, t, noise)
        logits = network(x_t, t)
        if not y.is_cuda:
            check_labels(y, logits.shape[1])
        return F.cross_entropy(logits, y)

    return loss
