import math

import pytest
import torch
from hypothesis import given
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from gdmcourse.probability import discrete_js, discrete_kl, discrete_total_variation
from tests.probability.strategies import probabilities


@given(probabilities(2))
def test_against_scipy(pair):
    p, q = pair
    assert discrete_kl(p, q).item() == pytest.approx(entropy(p.numpy(), q.numpy()), abs=1e-12)
    assert discrete_js(p, q).item() == pytest.approx(jensenshannon(p.numpy(), q.numpy()) ** 2, abs=1e-12)


@pytest.mark.equation("eq-kl-nonnegative", "eq-js-bounds")
@given(probabilities(2))
def test_bounds(pair):
    p, q = pair
    assert discrete_kl(p, q) >= -1e-12
    assert -1e-12 <= discrete_js(p, q) <= math.log(2) + 1e-12
    assert 0 <= discrete_total_variation(p, q) <= 1 + 1e-12


@pytest.mark.equation("eq-js-disjoint")
def test_point_masses_apart():
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert discrete_kl(p, q) == math.inf
    assert discrete_js(p, q).item() == pytest.approx(math.log(2))
    assert discrete_total_variation(p, q) == 1


def test_what_is_no_distribution_is_refused():
    with pytest.raises(ValueError, match=r"q must be at least 0 and sum to one, but sums to 0\.9"):
        discrete_kl(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.4]))
    with pytest.raises(ValueError, match="same outcomes, but have 2 and 3"):
        discrete_js(torch.ones(2) / 2, torch.ones(3) / 3)
