"""Covariance matrices at the boundary: checked once, with errors that name the culprit."""

import torch
from torch import Tensor


def is_symmetric(covariance: Tensor) -> bool:
    """Whether each matrix of a batch (*batch, D, D) equals its transpose, to rounding."""
    allowed = (
        10 * torch.finfo(covariance.dtype).eps ** 0.75 * covariance.abs().amax(dim=(-2, -1), keepdim=True)
    )
    return bool(((covariance - covariance.mT).abs() <= allowed).all())


def check_symmetric(covariance: Tensor, name: str) -> None:
    """Raise ValueError, led by `name`, unless `covariance` is (D, D), finite and symmetric to rounding."""
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"{name} must be a square matrix (D, D), but its shape is {tuple(covariance.shape)}")
    if not torch.isfinite(covariance).all():
        raise ValueError(f"{name} has entries that are not finite")
    if not is_symmetric(covariance):
        raise ValueError(f"{name} is not symmetric; use (C + C.T) / 2 if the difference is rounding")


def cholesky(covariance: Tensor, name: str) -> Tensor:
    """Lower Cholesky factor of one covariance (D, D).

    Raises ValueError, led by `name`, when it is not square, finite, symmetric and positive definite.
    """
    check_symmetric(covariance, name)
    factor, info = torch.linalg.cholesky_ex(covariance)
    if info > 0:
        smallest = torch.linalg.eigvalsh(covariance)[0].item()
        raise ValueError(
            f"{name} is not positive definite (smallest eigenvalue {smallest:.3g}); "
            "add a small multiple of the identity, or use float64"
        )
    return factor


def square_root(covariance: Tensor, name: str) -> Tensor:
    """Symmetric square root of one covariance (D, D) that may be singular.

    Raises ValueError, led by `name`, when it is not symmetric or has a negative eigenvalue beyond rounding.
    """
    check_symmetric(covariance, name)
    values, vectors = torch.linalg.eigh(covariance)
    rounding = 100 * torch.finfo(values.dtype).eps * values.abs().max()
    if values[0] < -rounding:
        raise ValueError(f"{name} has the negative eigenvalue {values[0].item():.3g}: it is no covariance")
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.mT
