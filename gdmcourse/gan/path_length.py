"""The penalty on the length of a generator's paths: equal steps in w are to change images equally."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def path_lengths(
    images: Float[Tensor, " n *shape"], w: Float[Tensor, " n *latent"], y: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n"]:
    """‖Jᵀy‖ of each image, where J is the derivative of the image in its latent: `eq-style-path-probe`.

    `images` must have been computed from `w`, which requires gradients; each image from its own latent.
    Gradients flow on to the generator's weights.
    """
    (gradient,) = torch.autograd.grad((images * y).sum(), w, create_graph=True)
    return gradient.flatten(1).norm(dim=1)


class PathLength(nn.Module):
    """The penalty E (‖Jᵀy‖ − a)² with y standard normal over √(numbers in an image), and its target a.

    The buffer `target` follows the mean length, a ← decay · a + (1 − decay) · mean. It is state, which a
    checkpoint holds, and has no gradient.
    """

    target: Tensor

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("target", torch.zeros(()))

    def forward(
        self, images: Float[Tensor, "n c h w"], w: Float[Tensor, " n *latent"], rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """The penalty of images computed from `w`; afterwards the target has moved."""
        y = torch.randn(images.shape, generator=rng, device=images.device) / math.sqrt(images[0].numel())
        lengths = path_lengths(images, w, y)
        penalty = (lengths - self.target.clone()).square().mean()
        self.target.lerp_(lengths.detach().mean(), 1 - self.decay)
        return penalty
