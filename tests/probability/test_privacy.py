"""The Gaussian mechanism against integrals of the two densities."""

import math

import numpy as np
import pytest
from scipy.special import log_ndtr
from scipy.stats import norm

from gdmcourse.probability.privacy import gaussian_delta, gaussian_power

X = np.linspace(-12, 16, 200_001)


@pytest.mark.equation("eq-app-gaussian")
@pytest.mark.parametrize("shift", [0.2, 1.0, 3.0])
def test_delta_and_hits_are_integrals(shift):
    taken, absent = norm.pdf(X, shift), norm.pdf(X)
    for epsilon in (0.0, 0.5, 2.0):
        excess = np.clip(taken - math.exp(epsilon) * absent, 0, None)
        assert gaussian_delta(epsilon, shift) == pytest.approx(np.trapezoid(excess, X), abs=1e-7)
    for threshold in (-1.0, 0.3, 2.0):
        assert gaussian_power(norm.sf(threshold), shift) == pytest.approx(
            norm.sf(threshold - shift), rel=1e-9
        )


@pytest.mark.parametrize(
    ("epsilon", "shift"), [(7.0, 0.9), (4.0, 0.5), (8.0, 1.05), (1.0, 0.2), (720.0, 38.0)]
)
def test_a_tiny_delta_is_right_too(epsilon, shift):
    near, far = log_ndtr(shift / 2 - epsilon / shift), log_ndtr(-shift / 2 - epsilon / shift)
    assert gaussian_delta(epsilon, shift) == pytest.approx(np.exp(near) - np.exp(epsilon + far), rel=1e-6)


@pytest.mark.equation("eq-app-attack")
@pytest.mark.parametrize("shift", [0.3, 1.5])
def test_no_test_beats_the_promise_and_one_reaches_it(shift):
    for epsilon in (0.1, 1.0):
        delta = gaussian_delta(epsilon, shift)
        room = [
            math.exp(epsilon) * norm.sf(threshold) + delta - norm.sf(threshold - shift)
            for threshold in np.linspace(-6, 8, 5001)
        ]
        assert min(room) >= -1e-12
        assert min(room) < 1e-5
        assert gaussian_delta(epsilon, 1.01 * shift) > delta


def test_what_can_not_be_is_refused():
    with pytest.raises(ValueError, match="shift must be positive"):
        gaussian_delta(1.0, 0.0)
    with pytest.raises(ValueError, match="epsilon must be at least 0"):
        gaussian_delta(-1.0, 1.0)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        gaussian_power(1.0, 1.0)
