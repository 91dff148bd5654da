"""A feature network that never sees a label: two views of one image are to get one embedding (VICReg)."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.metrics.classifier import Classifier

TURN, STRETCH, MOVE, NOISE = math.radians(15), 0.1, 1.0, 0.1  # of a view, at most; MOVE in pixels
APART = 1 / 25  # weight of the correlations


class SelfSupervised(Classifier):
    """The classifier's layers with an embedding in the place of logits, so that only what is taught differs.

    What scores look at is the layer before those that make the embedding, as with the classifier. Nothing is
    dropped out: the two views differ enough.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, features: int, embedding: int) -> None:
        super().__init__(shape, embedding, width, features)
        self.convolutions[-1] = nn.Identity()
        expander = nn.Sequential(nn.Linear(features, embedding), nn.ReLU(), nn.Linear(embedding, embedding))
        self.register_module("last", expander)


def vicreg_loss(
    model: nn.Module, images: Float[Tensor, "n c h w"], rng: torch.Generator
) -> Float[Tensor, ""]:
    """Mean squared difference of the embeddings of two views, and what keeps them from being all the same.

    That is the shortfall of each entry's standard deviation below 1, and the squared correlations of
    different entries, summed and divided by the entries. The views are drawn from `rng`.
    Source: the code of Bardes et al. 2022, up to a factor of 25.
    """
    pair = model(torch.cat([view(images, rng), view(images, rng)])).chunk(2)
    agree = (pair[0] - pair[1]).square().mean()
    spread = [F.relu(1 - (part.var(0) + 1e-4).sqrt()).mean() for part in pair]
    apart = [_off_diagonal(part.mT.cov()).square().sum() / part.shape[1] for part in pair]
    return agree + (spread[0] + spread[1]) / 2 + APART * (apart[0] + apart[1])


def view(images: Float[Tensor, "n c h w"], rng: torch.Generator) -> Float[Tensor, "n c h w"]:
    """Each image turned, stretched and moved a little, and faintly noised; what comes in at an edge is −1."""
    n, height, width = len(images), *images.shape[2:]

    def draw() -> Tensor:
        return 2 * torch.rand(n, generator=rng, device=images.device) - 1

    angle, size = TURN * draw(), 1 + STRETCH * draw()
    right, down = 2 * MOVE / width * draw(), 2 * MOVE / height * draw()  # an image is 2 wide to a grid
    cos, sin = size * angle.cos(), size * angle.sin()
    places = torch.stack([cos, -sin, right, sin, cos, down], 1).view(n, 2, 3)
    grid = F.affine_grid(places, list(images.shape), align_corners=False)
    moved = F.grid_sample(images + 1, grid, align_corners=False) - 1
    return moved + NOISE * torch.randn(images.shape, generator=rng, device=images.device)


def _off_diagonal(matrix: Tensor) -> Tensor:
    return matrix - matrix.diagonal().diag()
