"""One number an image, in a shape that meets images."""

import torch
from torch import Tensor


def per_image(value: float | Tensor, x: Tensor) -> Tensor:
    """A number, or one an image (n,), as (1, 1, …) or (n, 1, …), which broadcasts against images x (n, …).

    A Python number takes the type of x, a tensor keeps its own. Raises ValueError for as many numbers as
    there are no images.
    """
    if not isinstance(value, Tensor):
        value = torch.tensor(value, dtype=x.dtype, device=x.device)
    if value.numel() not in (1, len(x)) or value.ndim > 1:
        raise ValueError(
            f"there are values of shape {tuple(value.shape)} for {len(x)} images: give one, or one an image, "
            f"({len(x)},)"
        )
    # Never left with 0 dimensions: type promotion would then follow half-precision images down to half.
    return value.reshape(-1, *[1] * (x.ndim - 1))


def check_same_shape(x: Tensor, other: Tensor, name: str) -> None:
    """Raise ValueError, led by `name`, unless both have one shape: broadcasting would share one's numbers."""
    if other.shape != x.shape:
        raise ValueError(f"{name} has shape {tuple(other.shape)}, but the images {tuple(x.shape)}")
