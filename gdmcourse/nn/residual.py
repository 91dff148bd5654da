"""The residual block of a diffusion U-Net: two 3×3 convolutions that are told the time."""

import math

from jaxtyping import Float
from torch import Tensor, nn


def group_norm(channels: int, groups: int = 8) -> nn.GroupNorm:
    """Group normalisation with `groups` groups, or the most that divide both numbers."""
    return nn.GroupNorm(math.gcd(channels, groups), channels)


def zero_init(layer: nn.Conv2d) -> nn.Conv2d:
    """Set weight and bias to zero, so that the branch which ends here starts as nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x))) + W·SiLU(emb)))), the second convolution starting at zero.

    (N, in_channels, H, W) to (N, out_channels, H, W). With `embedding_dim` the block expects an embedding
    (N, embedding_dim) of time (and label), projected to one number a channel and added after the first
    convolution.
    """

    def __init__(
        self, in_channels: int, out_channels: int, embedding_dim: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.before = nn.Sequential(
            group_norm(in_channels), nn.SiLU(), nn.Conv2d(in_channels, out_channels, 3, padding=1)
        )
        self.inject = None if embedding_dim is None else nn.Linear(embedding_dim, out_channels)
        self.activation = nn.SiLU()
        self.after = nn.Sequential(
            group_norm(out_channels),
            nn.SiLU(),
            nn.Dropout(dropout),
            zero_init(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(
        self, x: Float[Tensor, "n c_in h w"], embedding: Float[Tensor, "n d"] | None = None
    ) -> Float[Tensor, "n c_out h w"]:
        """Apply the block; `embedding` is needed exactly if the block was built with an `embedding_dim`."""
        if (embedding is None) != (self.inject is None):
            raise ValueError("pass an embedding exactly if the block was built with embedding_dim")
        hidden = self.before(x)
        if self.inject is not None and embedding is not None:
            hidden = hidden + self.inject(self.activation(embedding))[:, :, None, None]
        return self.skip(x) + self.after(hidden)
