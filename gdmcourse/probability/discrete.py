"""Divergences between distributions over finitely many outcomes, in nats.

Both arguments are probabilities (K,). Every function raises ValueError when they are negative, do not sum to
one, or differ in length.
"""

from jaxtyping import Float
from torch import Tensor

from gdmcourse.probability import terms

Probabilities = Float[Tensor, " _"]


def _logs(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    if p.shape != q.shape:
        raise ValueError(f"p and q must have the same outcomes, but have {len(p)} and {len(q)}")
    for name, value in (("p", p), ("q", q)):
        total = value.double().sum().item()
        if not (value >= 0).all() or not abs(total - 1) <= 1e-4:
            raise ValueError(f"{name} must be at least 0 and sum to one, but sums to {total:.6g}")
    return p.log(), q.log()


def discrete_kl(p: Probabilities, q: Probabilities) -> Float[Tensor, ""]:
    """KL(p‖q) = Σ p log(p/q), infinite where p has mass and q has none (`def-kl`)."""
    return terms.kl(*_logs(p, q)).sum()


def discrete_js(p: Probabilities, q: Probabilities) -> Float[Tensor, ""]:
    """JS(p, q), between 0 and log 2 (`def-js`)."""
    return terms.js(*_logs(p, q)).sum()


def discrete_total_variation(p: Probabilities, q: Probabilities) -> Float[Tensor, ""]:
    """TV(p, q) = ½ Σ |p − q|, between 0 and 1 (`def-tv`)."""
    return terms.total_variation(*_logs(p, q)).sum()
