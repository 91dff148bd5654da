"""What a pass of a denoiser costs, in multiplications: by formula for a layer, by counting for a network."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def convolution_cost(height: int, width: int, channels_in: int, channels_out: int, kernel: int = 3) -> int:
    """Multiplications of a convolution whose output is height × width: H W k² C_in C_out, for one image.

    Products with the zeros of the padding are counted. Source: `eq-convolution-cost`.
    """
    return height * width * kernel**2 * channels_in * channels_out


def attention_cost(
    pixels: int, channels: int, *, tokens: int | None = None, token_dim: int | None = None
) -> int:
    """Multiplications of attention from `pixels` places to each other, or to `tokens` vectors of `token_dim`.

    Query and output, N C² each; keys and values, 2 L D C; scores and mixing, 2 N L C; without tokens L is N
    and D is C. The number of heads doesn't matter. For one image. Source: `eq-attention-cost`.
    """
    length = pixels if tokens is None else tokens
    dim = channels if token_dim is None else token_dim
    return 2 * pixels * channels**2 + 2 * length * dim * channels + 2 * pixels * length * channels


def transformer_block_cost(tokens: int, width: int) -> int:
    """Multiplications of a block of `gdmcourse.nn.dit`: 12 N C² + 2 N² C + 6 C², for one image.

    Attention as in `attention_cost`, a small network of 8 N C², and the layer that tells the six vectors.
    Source: `eq-dit-cost`.
    """
    return attention_cost(tokens, width) + 8 * tokens * width**2 + 6 * width**2


@torch.no_grad()
def multiplications(network: Callable[..., Any], *inputs: Any) -> int:
    """Multiplications of matrix products and convolutions in `network(*inputs)`, counted while it runs.

    Elementwise work such as normalisation is left out: it grows with the pixels alone.
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        network(*inputs)
    return counter.get_total_flops() // 2  # a multiplication and an addition are two operations
