"""Adaptive instance normalisation: each channel of each image gets the mean and the size it is told."""

from jaxtyping import Float
from torch import Tensor


def adaptive_instance_norm(
    x: Float[Tensor, "n c h w"],
    mean: Float[Tensor, "n c"],
    std: Float[Tensor, "n c"],
    epsilon: float = 1e-8,
) -> Float[Tensor, "n c h w"]:
    """`std` · (x − mean of the channel) / √(variance of the channel + ε) + `mean`.

    Mean and variance are those of a channel's pixels in one image (Huang and Belongie 2017), the book's
    equation `def-style-adain`. Raises ValueError unless there is a mean and a factor for each channel of each
    image.
    """
    for told in (mean, std):
        if told.shape != x.shape[:2]:
            raise ValueError(
                f"each channel of each image is told a number, so give {tuple(x.shape[:2])} of them, not "
                f"{tuple(told.shape)}"
            )
    centred = x - x.mean((2, 3), keepdim=True)
    size = (centred.square().mean((2, 3), keepdim=True) + epsilon).sqrt()
    return std[:, :, None, None] * centred / size + mean[:, :, None, None]
