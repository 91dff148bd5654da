"""Spectral norm: a layer's weight divided by its largest singular value (Miyato et al. 2018)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

FIRST = 15  # iterations before the first use


def power_iteration(
    matrix: Float[Tensor, "rows columns"], u: Float[Tensor, " rows"], steps: int = 1
) -> tuple[Float[Tensor, " rows"], Float[Tensor, " columns"]]:
    """Unit vectors u and v after `steps` of v ← Wᵀu/‖Wᵀu‖, u ← Wv/‖Wv‖: eq-power-iteration.

    They approach the left and right singular vectors of the largest singular value, which is uᵀWv. No
    gradient flows through them. Raises ValueError for fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"power iteration takes at least 1 step, not {steps}")
    with torch.no_grad():
        for _ in range(steps):
            v = normalize(matrix.T @ u, dim=0)
            u = normalize(matrix @ v, dim=0)
    return u, v


class SpectralNorm(nn.Module):
    """W ↦ W / σ with σ = uᵀWv: what `spectral_norm` puts in the place of a weight.

    In training each use makes one step of power iteration from where the last one ended; in evaluation none,
    so two calls agree. σ depends on W, and gradients know that: eq-spectral-gradient.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Float[Tensor, " out *rest"]) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        if not matrix.any():
            raise ValueError("a weight of zeros can't be divided by its largest singular value, which is 0")
        u, v = power_iteration(matrix, normalize(torch.randn(len(matrix)).to(matrix), dim=0), FIRST)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def forward(self, weight: Float[Tensor, " out *rest"]) -> Float[Tensor, " out *rest"]:
        """The weight with a largest singular value of about 1, as a matrix with a row for each output."""
        matrix = weight.flatten(1)
        if self.training:
            u, v = power_iteration(matrix, self.u)
            self.u.copy_(u)
            self.v.copy_(v)
        # Copies, since the next use changes the buffers while this one's gradient may still be wanted.
        return weight / torch.dot(self.u.clone(), matrix @ self.v.clone())


def spectral_norm(layer: nn.Module) -> nn.Module:
    """The same linear or convolutional layer, from now on with its weight divided by its spectral norm.

    Raises ValueError for other layers (a transposed convolution has its outputs in the second place), and for
    a weight of zeros.
    """
    if not isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        raise ValueError(
            f"spectral norm is for linear layers and convolutions, not for {type(layer).__name__}"
        )
    register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    return layer


def convolution_bound(layer: nn.Conv2d) -> float:
    """By how much the convolution stretches an image at most: eq-conv-norm.

    σ of the weight as a matrix, times the root of the most windows that see one pixel. Raises ValueError for
    a dilation, and for padding that repeats pixels: a pixel is then seen more often.
    """
    if any(dilation != 1 for dilation in layer.dilation) or layer.padding_mode != "zeros":
        raise ValueError("this bound is for convolutions without dilation, padded by zeros")
    windows = math.prod(
        math.ceil(kernel / stride) for kernel, stride in zip(layer.kernel_size, layer.stride, strict=True)
    )
    return math.sqrt(windows) * torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
