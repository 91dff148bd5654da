"""What noise on an answer promises to each person behind it: the Gaussian mechanism, exactly.

`shift` is how far one person can move the answer, in standard deviations of the noise.
"""

import math
from statistics import NormalDist

import torch

NORMAL = NormalDist()


def gaussian_delta(epsilon: float, shift: float) -> float:
    """The least δ for which the Gaussian mechanism is (ε, δ)-private. Source: `eq-app-gaussian`.

    Raises ValueError unless ε ≥ 0 and shift > 0.
    """
    _check(shift)
    if epsilon < 0:
        raise ValueError(f"epsilon must be at least 0, not {epsilon}")
    near, far = (epsilon / shift + side * shift / 2 for side in (-1, 1))
    root = math.sqrt(2)
    # e^ε times the tail beyond `far`, where neither factor alone could be held.
    scaled = torch.special.erfcx(torch.tensor(far / root, dtype=torch.float64)).item()
    return (math.erfc(near / root) - math.exp(-near * near / 2) * scaled) / 2


def gaussian_power(false_alarms: float, shift: float) -> float:
    """The most that any test with this rate of false alarms finds. Source: `eq-app-gaussian`.

    Raises ValueError unless the rate lies strictly between 0 and 1 and shift > 0.
    """
    _check(shift)
    if not 0 < false_alarms < 1:
        raise ValueError(f"a rate of false alarms lies strictly between 0 and 1, not {false_alarms}")
    return NORMAL.cdf(NORMAL.inv_cdf(false_alarms) + shift)


def _check(shift: float) -> None:
    if shift <= 0:
        raise ValueError(
            f"shift must be positive, not {shift}: without any influence there is nothing to hide"
        )
