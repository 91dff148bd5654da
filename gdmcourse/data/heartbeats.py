"""Heartbeats that nobody's heart made: five bells on a line of 64 samples, with a law that is known.

The shape is that of a lead of an electrocardiogram, after McSharry et al. (2003), who put five bells on a
circle. It teaches nothing about hearts: the numbers are round, and nothing depends on anything else.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

SAMPLES = 64
NOISE = 0.02
# name: (place in the beat, its standard deviation, height in millivolts, its standard deviation, width)
WAVES = {
    "P": (0.20, 0.010, 0.15, 0.03, 0.025),
    "Q": (0.36, 0.000, -0.10, 0.02, 0.012),
    "R": (0.40, 0.000, 1.00, 0.15, 0.014),
    "S": (0.44, 0.000, -0.20, 0.05, 0.014),
    "T": (0.68, 0.030, 0.30, 0.08, 0.045),
}


@dataclass(frozen=True)
class Beats:
    """Signals in millivolts, a row a person, and the place and height of each person's waves (n, 5)."""

    signals: Float[Tensor, "n samples"]
    places: Float[Tensor, "n waves"]
    heights: Float[Tensor, "n waves"]


def heartbeats(n: int, rng: Generator) -> Beats:
    """The beats of `n` people: all heights, the places of P and T, and the noise of a sample are normal."""
    law = torch.tensor(list(WAVES.values()), dtype=torch.float64, device=rng.device).T
    place, place_std, height, height_std, width = law

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng, device=rng.device, dtype=torch.float64)

    places = place + place_std * normal(n, len(WAVES))
    heights = height + height_std * normal(n, len(WAVES))
    times = torch.arange(SAMPLES, device=rng.device, dtype=torch.float64) / SAMPLES
    bells = (-((times - places[..., None]) ** 2) / (2 * width[:, None] ** 2)).exp()
    signals = (heights[..., None] * bells).sum(1) + NOISE * normal(n, SAMPLES)
    return Beats(signals, places, heights)
