"""Attention over the pixels of a feature map: to each other, or to a sequence such as a caption."""

import math

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.nn.residual import group_norm, zero_init


class Attention(nn.Module):
    """x + W_o · softmax(QKᵀ/√d) V, where each of the H·W pixels asks and the pixels or a context answer.

    Self-attention by default. With `context_dim` it is cross-attention: keys and values come from a context
    (N, L, context_dim). A head has `head_dim` channels, or the largest common divisor of that and `channels`.
    Source: `def-cross-attention` (Vaswani et al. 2017; Rombach et al. 2022).
    """

    def __init__(self, channels: int, *, head_dim: int = 32, context_dim: int | None = None) -> None:
        super().__init__()
        self.heads = channels // math.gcd(channels, head_dim)
        self.norm = group_norm(channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key_value = nn.Linear(channels if context_dim is None else context_dim, 2 * channels)
        self.out = zero_init(nn.Conv2d(channels, channels, 1))
        self.cross = context_dim is not None

    def forward(
        self, x: Float[Tensor, "n c h w"], context: Float[Tensor, "n length d"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Add to each pixel what it attends to; `context` is needed exactly by cross-attention."""
        if (context is not None) != self.cross:
            raise ValueError("pass a context exactly if the block was built with context_dim")
        n, c, h, w = x.shape
        normed = self.norm(x)
        pixels = normed.flatten(2).transpose(1, 2)  # (n, h·w, c)
        source = pixels if context is None else context  # (n, l, d)
        query = self.query(normed).view(n, self.heads, -1, h * w).transpose(2, 3)  # (n, heads, h·w, c/heads)
        key, value = self.key_value(source).view(n, source.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)  # (n, heads, h·w, c/heads)
        return x + self.out(mixed.transpose(2, 3).reshape(n, c, h, w))
