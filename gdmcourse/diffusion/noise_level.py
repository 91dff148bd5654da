"""A noise level: how much of the image and how much noise is in x_t, all from the one number log ᾱ_t."""

import math
from typing import NamedTuple


class NoiseLevel(NamedTuple):
    """A time t with its log ᾱ_t: x_t = signal · x_0 + sigma · ε with signal = √ᾱ_t, sigma = √(1 − ᾱ_t).

    Python numbers in double precision, as samplers walk them one time for the whole batch; a `Schedule` has
    the same as tables.
    """

    t: float
    log_alpha_bar: float

    @property
    def signal(self) -> float:
        """√ᾱ_t."""
        return math.exp(self.log_alpha_bar / 2)

    @property
    def sigma(self) -> float:
        """√(1 − ᾱ_t), without the cancellation of that difference at small t."""
        return math.sqrt(-math.expm1(self.log_alpha_bar))

    @property
    def half_log_snr(self) -> float:
        """λ_t = log(√ᾱ_t / √(1 − ᾱ_t)), the clock of DPM-Solver; infinite at t = 0."""
        return math.log(self.signal / self.sigma) if self.sigma > 0 else math.inf


def variance_added(s: NoiseLevel, t: NoiseLevel) -> float:
    """β_{t|s} = 1 − ᾱ_t/ᾱ_s, the variance that the forward process adds on the way from s to a later t."""
    return -math.expm1(t.log_alpha_bar - s.log_alpha_bar)
