"""Where neither a closed form nor a grid will do: an average over samples, with its standard error."""

import math

from jaxtyping import Float
from torch import Generator, Tensor

from gdmcourse.probability.mixture import GaussianMixture


def kl_by_sampling(
    p: GaussianMixture, q: GaussianMixture, n: int, generator: Generator | None = None
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Estimate of KL(p‖q) in nats from n draws of p, and its standard error (`eq-kl-estimate`).

    Raises ValueError for n < 2, where a standard error does not exist.
    """
    if n < 2:
        raise ValueError(f"n must be at least 2 for a standard error, but is {n}")
    x = p.sample(n, generator)
    log_ratio = p.log_prob(x) - q.log_prob(x)
    return log_ratio.mean(), log_ratio.std() / math.sqrt(n)
