"""The network from the noise z to the latent w, and the middle of the latents, to which they are pulled."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.gan.equalised import EqualisedLinear, activate


def truncated(w: Float[Tensor, "*n d"], middle: Float[Tensor, " d"], psi: float) -> Float[Tensor, "*n d"]:
    """w̄ + ψ (w − w̄), the book's equation `eq-style-truncation`; ψ = 1 leaves w as it is."""
    return middle + psi * (w - middle)


class Mapping(nn.Module):
    """Noise (n, noise_dim) to latents w (n, style_dim), by `layers` layers.

    The noise is brought to the length √noise_dim first. In training the buffer `middle` follows the mean of
    the latents, as batch norm's running mean does: middle ← decay · middle + (1 − decay) · mean.
    """

    middle: Tensor

    def __init__(self, noise_dim: int, style_dim: int, layers: int = 2, decay: float = 0.995) -> None:
        super().__init__()
        sizes = [noise_dim] + [style_dim] * layers
        self.layers = nn.ModuleList(EqualisedLinear(inside, outside) for inside, outside in pairwise(sizes))
        self.decay = decay
        self.register_buffer("middle", torch.zeros(style_dim))

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n style_dim"]:
        """The latent of each noise."""
        w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.layers:
            w = activate(layer(w))
        if self.training:
            with torch.no_grad():
                self.middle.lerp_(w.mean(0).to(self.middle), 1 - self.decay)
        return w
