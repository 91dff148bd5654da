"""MADE: a masked autoencoder that is an exact density (Germain et al. 2015)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.likelihood.autoregressive import Autoregressive
from gdmcourse.likelihood.masks import MaskedLinear, degree_mask


class MADE(Autoregressive):
    """Two hidden layers of `width` units; a unit of degree g sees the first g symbols.

    Degrees of hidden units go round 1 … D − 1. Source: `eq-ar-degrees`.

    Raises ValueError for fewer units than degrees: some symbol would then be seen by nobody.
    """

    def __init__(self, dimensions: int, levels: int, width: int, dropout: float = 0.0) -> None:
        super().__init__(levels)
        if width < dimensions - 1:
            raise ValueError(f"width must be at least {dimensions - 1}, a unit a degree, not {width}")
        places = torch.arange(1, dimensions + 1)
        units = torch.arange(width) % max(dimensions - 1, 1) + 1
        self.layers = nn.Sequential(
            MaskedLinear(degree_mask(places, units)),
            nn.ReLU(),
            nn.Dropout(dropout),
            MaskedLinear(degree_mask(units, units)),
            nn.ReLU(),
            nn.Dropout(dropout),
            MaskedLinear(degree_mask(units, places.repeat_interleave(levels), strict=True)),
        )

    def logits(self, embedded: Float[Tensor, "n d c"]) -> Float[Tensor, "n d levels"]:
        """All conditionals in one pass."""
        return self.layers(embedded[..., 0]).unflatten(1, (-1, self.levels))
