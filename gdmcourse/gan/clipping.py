"""Clipping of weights, the first way to hold the slope of a Wasserstein critic (Arjovsky et al. 2017)."""

import torch
from torch import nn


@torch.no_grad()
def clip_weights(network: nn.Module, bound: float) -> None:
    """Bring each weight and offset of `network` into [−bound, bound], in place (`eq-wgan-clip`).

    Raises ValueError unless the bound is above 0.
    """
    if not bound > 0:
        raise ValueError(f"weights are clipped to a bound above 0, not {bound}")
    for parameter in network.parameters():
        parameter.clamp_(-bound, bound)
