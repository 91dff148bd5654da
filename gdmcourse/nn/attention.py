"""Attention: between the places of sequences, and between the pixels of a feature map or with a caption."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gdmcourse.nn.residual import group_norm, zero_init


def attend(
    query: Float[Tensor, "n queries c"],
    key: Float[Tensor, "n places c"],
    value: Float[Tensor, "n places c"],
    heads: int = 1,
    mask: Bool[Tensor, "queries places"] | None = None,
) -> Float[Tensor, "n queries c"]:
    """softmax(QKᵀ/√d) V in each of `heads` parts of d = c/heads channels; c is a multiple of `heads`.

    With `mask` a query sees the places where its row is true and no others; each row needs one. Source:
    `def-cross-attention` (Vaswani et al. 2017).
    """
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (query, key, value))  # (n, heads, ·, d)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)


def causal_mask(length: int, device: torch.device | str | None = None) -> Bool[Tensor, "length length"]:
    """The mask by which each place of a sequence sees itself and what was before it."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


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
        query = self.query(normed).flatten(2).transpose(1, 2)  # (n, h·w, c)
        key, value = self.key_value(source).chunk(2, dim=2)  # (n, l, c) each
        mixed = attend(query, key, value, self.heads)  # (n, h·w, c)
        return x + self.out(mixed.transpose(1, 2).reshape(n, c, h, w))
