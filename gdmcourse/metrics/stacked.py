"""How many of the 1000 modes of stacked digits samples reach, and how evenly (Lin et al. 2018)."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.samples import check_images

MODES = 1000


class StackedModes(NamedTuple):
    """Modes that at least one sample is read as, and the reverse KL divergence in nats.

    The divergence is that of the samples' modes to all modes equally often. Of many samples, n, from a
    perfect model it is about (modes − 1) / 2n, for want of samples; samples of one mode have log 1000.
    """

    modes: int
    reverse_kl: float


def stacked_modes(images: Float[Tensor, "n 3 8 8"]) -> StackedModes:
    """Read each channel by the course's classifier of digits, and count the numbers of three digits.

    Raises ValueError for no images, images of another shape, and values that don't lie in [−1, 1].
    """
    if len(images) == 0:
        raise ValueError("modes are counted in samples: give at least one")
    return count_modes(read_stacked(check_images(images, (3, 8, 8))))


@torch.no_grad()
def read_stacked(images: Float[Tensor, "n 3 8 8"]) -> Int64[Tensor, " n"]:
    """The number from 0 to 999 that the classifier reads in the three channels of each image."""
    network = feature_network("digits")
    digits = torch.cat([network(part).argmax(1) for part in images.flatten(0, 1)[:, None].split(3000)])
    return digits.view(-1, 3) @ torch.tensor([100, 10, 1])


def count_modes(read: Int64[Tensor, " n"]) -> StackedModes:
    """The count and the divergence of numbers from 0 to 999; raises ValueError for others, and for none."""
    if len(read) == 0 or not 0 <= int(read.min()) <= int(read.max()) < MODES:
        raise ValueError(f"modes are numbers from 0 to {MODES - 1}: give at least one, and no others")
    share = torch.bincount(read, minlength=MODES).double() / len(read)
    reverse_kl = torch.special.xlogy(share, share).sum().item() + math.log(MODES)
    return StackedModes(int((share > 0).sum()), reverse_kl)
