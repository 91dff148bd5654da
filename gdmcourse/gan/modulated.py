"""A convolution whose weights a style scales, and which keeps the size of what goes through it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from gdmcourse.gan.equalised import EqualisedLinear


def modulated_convolution(
    x: Float[Tensor, "n i h w"],
    weight: Float[Tensor, "j i k k"],
    style: Float[Tensor, "n i"],
    *,
    demodulate: bool = True,
    epsilon: float = 1e-8,
) -> Float[Tensor, "n j h w"]:
    """Convolve each image with weights of its own, s_i w_jik / √(Σ (s_i w_jik)² + ε).

    The book's equation `eq-style-demodulation` (Karras et al. 2020). Since a convolution is linear, the
    style multiplies the inputs and the root divides the outputs, so all images share one convolution.
    Without `demodulate` there is no root. Raises ValueError for a kernel of even size.
    """
    if weight.shape[2] % 2 == 0:
        raise ValueError(f"the kernel must have an odd size to keep the images', not {weight.shape[2]}")
    y = conv2d(x * style[:, :, None, None], weight, padding="same")
    if not demodulate:
        return y
    energy = style.square() @ weight.square().sum((2, 3)).T  # Σ over inputs i and places k, (n, j)
    return y * (energy + epsilon).rsqrt()[:, :, None, None]


class ModulatedConv2d(nn.Module):
    """Features (n, inputs, h, w) and a latent w (n, style_dim) to features (n, outputs, h, w).

    An affine map makes the style of the latent; its bias begins at 1, so the styles begin scattered around 1.
    """

    def __init__(
        self, inputs: int, outputs: int, style_dim: int, kernel: int = 3, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = EqualisedLinear(style_dim, inputs, bias=1.0)
        self.constant = 1 / math.sqrt(inputs * kernel**2)
        self.demodulate = demodulate

    def forward(
        self,
        x: Float[Tensor, "n inputs h w"],
        w: Float[Tensor, "n style_dim"],
        noise: Float[Tensor, "n 1 h w"] | float = 0.0,
    ) -> Float[Tensor, "n outputs h w"]:
        """The convolution in the style of w, then the noise, the same for all channels, and the bias."""
        y = modulated_convolution(x, self.constant * self.weight, self.style(w), demodulate=self.demodulate)
        return y + noise + self.bias[:, None, None]
