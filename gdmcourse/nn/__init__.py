"""Blocks that several models share."""

from gdmcourse.nn.attention import Attention
from gdmcourse.nn.residual import ResidualBlock
from gdmcourse.nn.time_embedding import TimeEmbedding, sinusoidal
from gdmcourse.nn.unet import NoNullClass, UNet, source_unet

__all__ = [
    "Attention",
    "NoNullClass",
    "ResidualBlock",
    "TimeEmbedding",
    "UNet",
    "sinusoidal",
    "source_unet",
]
