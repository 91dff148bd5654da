"""What inpainting by replacement ends with where the right answer is known: a pair of unit Gaussians."""

import math

from scipy.integrate import quad


def believed(correlation: float, visits: int = 1) -> float:
    """The mean of the hidden coordinate per unit of the known one; right would be the correlation itself.

    In the limit of small steps, each of them walked `visits` times (Lugmayr et al. 2022). Raises ValueError
    unless 0 < correlation < 1 and visits ≥ 1. Source: `eq-app-visits`; for one visit `eq-app-replacement`.
    """
    if not 0 < correlation < 1:
        raise ValueError(f"the correlation must lie strictly between 0 and 1, not {correlation}")
    if visits < 1:
        raise ValueError(f"visits must be at least 1, not {visits}")
    angle = math.asin(correlation)
    slope = math.tan(angle)
    found, _ = quad(lambda psi: (math.tan(psi) / slope) ** visits / math.cos(psi), 0, angle, epsabs=1e-12)
    return visits * found


def left_uncertain(correlation: float) -> float:
    """The hidden coordinate's variance after one visit; right would be 1 − ρ². `eq-app-replacement`.

    Raises ValueError unless 0 < correlation < 1.
    """
    if not 0 < correlation < 1:
        raise ValueError(f"the correlation must lie strictly between 0 and 1, not {correlation}")
    return (1 - correlation**2) * math.atanh(correlation) / correlation
