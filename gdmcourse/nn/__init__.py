"""Blocks that several models share."""

from gdmcourse.nn.attention import Attention, attend, causal_mask
from gdmcourse.nn.labels import NoNullClass
from gdmcourse.nn.residual import ResidualBlock
from gdmcourse.nn.time_embedding import TimeEmbedding, sinusoidal
from gdmcourse.nn.unet import UNet, source_unet

__all__ = [
    "Attention",
    "NoNullClass",
    "ResidualBlock",
    "TimeEmbedding",
    "UNet",
    "attend",
    "causal_mask",
    "sinusoidal",
    "source_unet",
]
