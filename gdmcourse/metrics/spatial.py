"""Spatial features: what a classifier sees of an image before it forgets where it saw it."""

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.classifier import Classifier

CHANNELS = 4  # of the first layers' map, so that there are about as many numbers as features


@torch.no_grad()
def spatial_features(
    network: Classifier, images: Float[Tensor, "n c h w"], batch_size: int = 500
) -> Float[Tensor, "n d"]:
    """The first channels of the map after the first convolution and its halving, flattened, on the CPU.

    Their Fréchet distance is the sFID of Nash et al. 2021, which notices parts at wrong places.
    """
    device = next(network.parameters()).device
    maps = [network.convolutions[:4](part.to(device)).cpu() for part in images.split(batch_size)]
    return torch.cat(maps)[:, :CHANNELS].flatten(1)
