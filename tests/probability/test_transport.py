import itertools
import math

import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from gdmcourse.probability import gaussian_w2, wasserstein_1d

samples = st.lists(st.floats(-50, 50), min_size=1, max_size=12).map(lambda v: torch.tensor(v).double())
equal_samples = st.integers(1, 6).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(-50, 50), min_size=n, max_size=n)] * 2)
)


@pytest.mark.equation("eq-w1-quantiles", "eq-w1-cdf")
@given(samples, samples)
def test_w1_agrees_with_scipy(x, y):
    """SciPy integrates the gap of the distribution functions; ours integrates the gap of the quantiles."""
    assert wasserstein_1d(x, y).item() == pytest.approx(wasserstein_distance(x.numpy(), y.numpy()), abs=1e-9)


@pytest.mark.equation("eq-wp-sorted")
@given(samples, samples, st.sampled_from([1, 2, 3]))
def test_wp_agrees_with_pot(x, y, p):
    expected = ot.wasserstein_1d(x.numpy(), y.numpy(), p=p)
    assert wasserstein_1d(x, y, p).item() ** p == pytest.approx(float(expected), rel=1e-6, abs=1e-9)


@pytest.mark.equation("eq-wp-sorted")
@given(equal_samples, st.sampled_from([1, 1.5, 2]))
def test_sorting_beats_every_other_pairing(pair, p):
    x, y = (torch.tensor(v).double() for v in pair)
    best = min(
        (x - torch.stack(order)).abs().pow(p).mean().item() for order in itertools.permutations(y.unbind())
    )
    assert wasserstein_1d(x, y, p).item() ** p == pytest.approx(best, rel=1e-9, abs=1e-12)


@given(samples, samples, samples, st.sampled_from([1, 2]))
def test_is_a_metric(x, y, z, p):
    xy, yz, xz = wasserstein_1d(x, y, p), wasserstein_1d(y, z, p), wasserstein_1d(x, z, p)
    assert xy == pytest.approx(wasserstein_1d(y, x, p))
    assert wasserstein_1d(x, x, p) == 0
    assert xz <= xy + yz + 1e-9


def test_samples_of_gaussians_come_close_to_the_closed_form(generator):
    x, y = (torch.randn(200_000, dtype=torch.float64, generator=generator) for _ in range(2))
    exact = gaussian_w2(
        torch.zeros(1).double(), torch.eye(1).double(), torch.ones(1).double(), 4 * torch.eye(1).double()
    )
    assert wasserstein_1d(x, 1 + 2 * y, p=2).item() == pytest.approx(exact.item(), rel=0.01)


def test_every_point_feels_a_pull():
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    wasserstein_1d(x, torch.tensor([10.0, 12.0, 14.0])).backward()
    torch.testing.assert_close(x.grad, torch.tensor([-0.5, -0.5]))


@pytest.mark.parametrize(
    ("p", "shape", "message"),
    [
        (0.5, (2,), "p ≥ 1"),
        (math.inf, (2,), "finite p"),
        (math.nan, (2,), "finite p"),
        (1, (0,), "at least one point"),
        (1, (2, 1), r"vectors, \(N,\) and \(M,\), not \(2, 1\) and \(2,\)"),
    ],
)
def test_bad_input_is_refused(unchecked, p, shape, message):
    with pytest.raises(ValueError, match=message):
        wasserstein_1d(torch.zeros(shape), torch.zeros(2), p)
