"""What a divergence sums or integrates, elementwise from log p and log q, with zeros handled once.

`discrete` adds these terms up over outcomes and `divergence` integrates them over a line.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """p log(p/q): 0 where p = 0, infinite where only q = 0."""
    terms = log_p.exp() * (log_p - log_q)
    return torch.where(log_p == -math.inf, torch.zeros_like(terms), terms)


def js(log_p: Tensor, log_q: Tensor) -> Tensor:
    """½ p log(p/m) + ½ q log(q/m) with m = (p + q)/2."""
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * (kl(log_p, log_m) + kl(log_q, log_m))


def total_variation(log_p: Tensor, log_q: Tensor) -> Tensor:
    """½ |p − q|."""
    return 0.5 * (log_p.exp() - log_q.exp()).abs()


def squared_hellinger(log_p: Tensor, log_q: Tensor) -> Tensor:
    """½ (√p − √q)²."""
    return 0.5 * ((0.5 * log_p).exp() - (0.5 * log_q).exp()).square()


def chi_squared(log_p: Tensor, log_q: Tensor) -> Tensor:
    """(p − q)²/q, written p²/q − 2p + q so that only the first term can overflow."""
    terms = (2 * log_p - log_q).exp() - 2 * log_p.exp() + log_q.exp()
    return torch.where(log_p == -math.inf, log_q.exp(), terms)


def f_divergence(f: Callable[[Tensor], Tensor], log_p: Tensor, log_q: Tensor) -> Tensor:
    """q f(u) with u = p/q; where p > q it is taken as p f(u)/u, so that no zero meets an infinity."""
    log_u = torch.where(log_p == log_q, torch.zeros_like(log_p), log_p - log_q)
    bound = 0.42 * math.log(torch.finfo(log_u.dtype).max)  # leaves room for u² (e^±298 in float64)
    u = log_u.clamp(-bound, bound).exp()
    return torch.where(log_u > 0, log_p.exp() * (f(u) / u), log_q.exp() * f(u))
