"""Wasserstein distances between samples on the line: sort, and match equal quantiles."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def wasserstein_1d(x: Float[Tensor, " n"], y: Float[Tensor, " m"], p: float | int = 1) -> Float[Tensor, ""]:
    """W_p between two samples (N,) and (M,) of any sizes, in their unit (`eq-wp-sorted`).

    The empirical quantile functions are step functions, so the integral over levels is a finite sum and
    the result is exact. Differentiable in both samples (for p > 1 only where the distance is not 0). Raises
    ValueError for p < 1 or infinite, for samples that aren't vectors, and for empty ones.
    """
    if not 1 <= p < math.inf:
        raise ValueError(f"a Wasserstein distance needs a finite p ≥ 1, but p is {p}")
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError(
            f"samples on the line are vectors, (N,) and (M,), not {tuple(x.shape)} and {tuple(y.shape)}"
        )
    n, m = len(x), len(y)
    if n == 0 or m == 0:
        raise ValueError("both samples must have at least one point")
    x, y = x.sort().values, y.sort().values
    # Levels are counted in units of 1/(n m), where the jumps of both step functions are whole numbers.
    jumps = torch.cat([torch.arange(n + 1) * m, torch.arange(m + 1) * n]).unique()
    left = jumps[:-1]
    share = (jumps.diff().to(x.dtype) / (n * m)).to(x.device)
    gap = (x[(left // m).to(x.device)] - y[(left // n).to(x.device)]).abs()
    return (share * gap**p).sum() ** (1 / p)
