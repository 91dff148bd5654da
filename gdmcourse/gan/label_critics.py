"""Critics of an image together with its label: one logit for the pair."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.nn.labels import check_labels, check_one_each


class PlaneCritic(nn.Module):
    """The label is one more channel: an embedding of H·W numbers, laid beside the image."""

    def __init__(
        self, shape: tuple[int, int, int], classes: int, width: int = 16, norm: str = "none"
    ) -> None:
        super().__init__()
        channels, height, side = shape
        self.classes = classes
        self.embedding = nn.Sequential(
            nn.Embedding(classes, height * side), nn.Unflatten(1, (1, height, side))
        )
        self.body = ImageCritic((channels + 1, height, side), width, norm)

    def forward(self, x: Float[Tensor, "n c h w"], y: Int64[Tensor, " m"]) -> Float[Tensor, " n"]:
        """A logit for each pair. Raises ValueError for labels out of range, or not one for each image."""
        check_labels(y, self.classes)
        check_one_each(y, x)
        return self.body(torch.cat([x, self.embedding(y)], dim=1))


class ProjectionCritic(nn.Module):
    """f(x, y) = v_yᵀ φ(x) + ψ(φ(x)), with φ the features of an `ImageCritic` and ψ its last layer
    (`eq-projection`; Miyato and Koyama 2018)."""

    def __init__(
        self, shape: tuple[int, int, int], classes: int, width: int = 16, norm: str = "none"
    ) -> None:
        super().__init__()
        self.classes = classes
        self.body = ImageCritic(shape, width, norm)
        self.embedding = nn.Embedding(classes, self.body.size)
        nn.init.normal_(self.embedding.weight, std=self.body.size**-0.5)

    def forward(self, x: Float[Tensor, "n c h w"], y: Int64[Tensor, " m"]) -> Float[Tensor, " n"]:
        """A logit for each pair. Raises ValueError for labels out of range, or not one for each image."""
        check_labels(y, self.classes)
        check_one_each(y, x)
        features = self.body.features(x)
        return self.body.last(features).squeeze(1) + (self.embedding(y) * features).sum(1)
