"""Points as readers have them, in tensors, arrays or lists, as the models of this room take them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Points = Tensor | np.ndarray | Sequence[Any]


def as_points(x: Points) -> Tensor:
    """Points as a tensor (N, D), float32 or float64: whole numbers and half precision become float32.

    Raises ValueError for what is no table of numbers, saying how it becomes one.
    """
    try:
        points = x.detach() if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))
    except (TypeError, ValueError) as error:
        raise ValueError(f"x is no table of numbers ({error}); give N rows of D numbers each") from error
    if points.is_complex():
        raise ValueError("x holds complex numbers; give their real and imaginary parts as two columns")
    if points.ndim != 2 or points.shape[1] == 0:
        way = (
            "; write x[:, None] for points on a line" if points.ndim == 1 else "; flatten what a point holds"
        )
        raise ValueError(
            f"x must be (N, D), a row for each point, but its shape is {tuple(points.shape)}{way}"
        )
    return points if points.dtype in (torch.float32, torch.float64) else points.float()


def check_finite(x: Tensor) -> None:
    """Raise ValueError where there is no row to fit, or one that holds nan or infinity."""
    if len(x) == 0 or not x.isfinite().all():
        raise ValueError("x has no rows, or holds values that are not finite: remove or fill such rows first")


def exact(x: Tensor) -> Tensor:
    """x in float64, in which sums over many points far from 0 are right; as it is where a device has none."""
    return x if x.device.type == "mps" else x.double()
