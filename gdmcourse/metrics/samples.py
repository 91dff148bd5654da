"""What every score asks of samples, and of the two sets of features that it compares."""

import torch
from torch import Tensor

ROUNDING = 0.01  # by which half precision may leave [−1, 1]


def check_features(features: Tensor, reference: Tensor, least: int) -> None:
    """Raise ValueError unless both sets have at least `least` rows, one width, and finite numbers."""
    if features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"both sets need the same features, but they have {features.shape[1]} and {reference.shape[1]}"
        )
    for name, rows in (("samples", features), ("reference images", reference)):
        if len(rows) < least:
            raise ValueError(f"at least {least} {name} are needed for this score, not {len(rows)}")
        if not torch.isfinite(rows).all():
            raise ValueError(f"the features of the {name} are not all finite; did the sampler diverge?")


def check_images(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The samples in float32, whatever their float type; ValueError unless they are finite and in [−1, 1].

    To score bytes, or images in [0, 1], as if they lay in [−1, 1] gives numbers that mean nothing.
    """
    if not isinstance(images, Tensor):
        raise ValueError(
            f"samples are a tensor (N, C, H, W), not {type(images).__name__}: torch.from_numpy(…)"
        )
    if tuple(images.shape[1:]) != shape:
        raise ValueError(f"the network is for images of shape {shape}, not {tuple(images.shape[1:])}")
    if not images.is_floating_point():
        raise ValueError(
            f"samples are numbers in [−1, 1], not {images.dtype}: for 0 … 255, images / 127.5 - 1"
        )
    if not torch.isfinite(images).all():
        raise ValueError("the samples are not all finite; did the sampler diverge?")
    if len(images) == 0:
        return images.float()
    low, high = (value.item() for value in images.aminmax())
    if max(-low, high) > 1 + ROUNDING:
        raise ValueError(
            f"samples lie in [−1, 1], but these go from {low:.4g} to {high:.4g}: images.clamp(-1, 1) if the "
            "sampler overshoots, images / 127.5 - 1 if they are 0 … 255"
        )
    if low >= 0 and high > 0:
        raise ValueError(
            f"samples lie in [−1, 1], and none of these is below {low:.4g}: 2 * images - 1 if they are 0 … 1"
        )
    return images.float()
