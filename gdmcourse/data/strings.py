"""Waveforms of a plucked string whose law is known (Karplus and Strong 1983), so that bits can be judged."""

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

PERIOD, LEVELS, DAMPING, NOISE = 20, 16, 0.98, 0.12  # NOISE is a standard deviation; waves are in [−1, 1]


def next_probabilities(before: Int64[Tensor, "n longer"]) -> Float[Tensor, "n levels"]:
    """The law of the next symbol given at least PERIOD + 1 before it, in float64.

    A string's next value is about the mean of the two values one period ago; a normal error is added, and
    the sum rounded to the nearest of LEVELS values from −1 to 1.
    """
    values = before[:, [-PERIOD, -PERIOD - 1]].double() * (2 / (LEVELS - 1)) - 1
    mean = DAMPING * values.mean(1)
    middles = torch.arange(1, LEVELS, dtype=torch.float64, device=before.device) - 0.5
    edges = middles * (2 / (LEVELS - 1)) - 1
    below = torch.special.ndtr((edges - mean[:, None]) / NOISE)
    ends = torch.zeros_like(mean)[:, None]
    return torch.cat([ends, below, ends + 1], dim=1).diff(dim=1)


def pluck(n: int, length: int, rng: Generator) -> Int64[Tensor, "n length"]:
    """`n` waves of `length` symbols 0 … LEVELS − 1; the first PERIOD + 1 are the pluck, and uniform.

    Raises ValueError for a wave that ends before the string swings.
    """
    if n < 1 or length <= PERIOD + 1:
        raise ValueError(f"at least one wave of more than {PERIOD + 1} symbols, not {n} of {length}")
    x = torch.randint(LEVELS, (n, PERIOD + 1), generator=rng, device=rng.device)
    while x.shape[1] < length:
        x = torch.cat([x, torch.multinomial(next_probabilities(x), 1, generator=rng)], dim=1)
    return x


def pluck_log_prob(x: Int64[Tensor, "n length"]) -> Float[Tensor, "n length"]:
    """log-probability of each symbol given those before it, in nats, under the law itself."""
    uniform = torch.full_like(x, 1, dtype=torch.float64) / LEVELS
    later = [next_probabilities(x[:, :t]).gather(1, x[:, t : t + 1]) for t in range(PERIOD + 1, x.shape[1])]
    return torch.cat([uniform[:, : PERIOD + 1], *later], dim=1).log()
