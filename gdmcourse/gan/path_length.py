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

    The buffer `target` follows the mean length, a ← a + share · (mean − a), with the share 1 − decay, at
    first 1, ½, ⅓ …, so that it begins at what it finds. It is state, which checkpoints hold, and has no
    gradient.
    """

    target: Tensor
    calls: Tensor

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("target", torch.zeros(()))
        self.register_buffer("calls", torch.zeros(()))

    def forward(
        self, images: Float[Tensor, "n c h w"], w: Float[Tensor, " n *latent"], rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """The penalty of images computed from `w`, after the target has moved (in evaluation mode, too)."""
        y = torch.randn(images.shape, generator=rng, device=images.device) / math.sqrt(images[0].numel())
        lengths = path_lengths(images, w, y)
        with torch.no_grad():
            self.calls += 1
            self.target.lerp_(lengths.mean(), (1 / self.calls).clamp(min=1 - self.decay))
        return (lengths - self.target.clone()).square().mean()
