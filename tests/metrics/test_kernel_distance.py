"""Kernel distance: against torchmetrics, by all pairs, and right on average however few rows there are."""

import itertools

import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from gdmcourse.metrics.kernel_distance import kernel_distance


def cloud(n, seed, shift=0.0, d=5):
    noise = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return noise + shift


class Identity(torch.nn.Module):
    """Stands in for Inception: hands features through, as torchmetrics wants them."""

    num_features = 5

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all extracted features")
def test_equals_torchmetrics_on_the_same_features():
    ours, real = cloud(60, 1, shift=0.5), cloud(60, 2)
    metric = KernelInceptionDistance(feature=Identity(), subsets=1, subset_size=60)
    metric.update(real, real=True)
    metric.update(ours, real=False)
    assert kernel_distance(ours, real) == pytest.approx(metric.compute()[0].item(), abs=1e-6)


def test_equals_the_sum_over_pairs():
    x, y = cloud(4, 3), cloud(6, 4, shift=1.0)

    def kernel(a, b):
        return float((a @ b / 5 + 1) ** 3)

    within = [
        sum(kernel(a, b) for a, b in itertools.permutations(rows, 2)) / (len(rows) * (len(rows) - 1))
        for rows in (x, y)
    ]
    across = sum(kernel(a, b) for a in x for b in y) / 24
    assert kernel_distance(x, y) == pytest.approx(sum(within) - 2 * across, rel=1e-9)


def test_is_right_on_average_for_two_rows_of_a_finite_law():
    """All ways to draw two rows each from laws on two points, against the sum over the laws themselves."""
    p, q = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [-1.0]])
    pairs = list(itertools.product(range(2), repeat=2))
    mean = sum(kernel_distance(p[list(i)], q[list(j)]) for i in pairs for j in pairs) / 16

    def kernel(a, b):
        return (a @ b.mT + 1).pow(3).mean().item()

    assert mean == pytest.approx(kernel(p, p) + kernel(q, q) - 2 * kernel(p, q), rel=1e-9)


def test_blocks_of_rows_change_nothing(monkeypatch):
    x, y = cloud(23, 5), cloud(31, 6)
    whole = kernel_distance(x, y)
    monkeypatch.setattr("gdmcourse.metrics.kernel_distance.AT_ONCE", 100)
    assert kernel_distance(x, y) == pytest.approx(whole, rel=1e-12)


def test_refuses_a_single_row():
    with pytest.raises(ValueError, match="at least 2 samples"):
        kernel_distance(cloud(1, 1), cloud(9, 2))
