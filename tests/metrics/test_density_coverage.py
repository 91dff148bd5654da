"""Density and coverage: against prdc, by hand on a line, and coverage's mean where both laws are one."""

import warnings

import pytest
import torch

from gdmcourse.metrics.density_coverage import density_coverage, expected_coverage

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from prdc import compute_prdc


def cloud(n, seed, shift=0.0, scale=1.0, d=4):
    noise = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * noise + shift


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_equals_prdc_on_the_same_features(neighbours):
    samples, real = cloud(200, 1, shift=0.8, scale=0.7), cloud(150, 2)
    theirs = compute_prdc(real.numpy(), samples.numpy(), neighbours)
    assert density_coverage(samples, real, neighbours) == pytest.approx(
        (theirs["density"], theirs["coverage"]), abs=1e-9
    )


def test_by_hand_on_a_line():
    """Balls of radius 1, 1 and 9: samples at 0.4 lie in two and three of them; the ball at 10 holds one."""
    real = torch.tensor([[0.0], [1.0], [10.0]])
    samples = torch.tensor([[0.4], [0.4], [5.0], [30.0]])
    assert density_coverage(samples, real, neighbours=1) == ((2 + 2 + 1 + 0) / 4, 1.0)


def test_an_outlier_among_the_real_images_moves_density_little():
    """Its ball covers everything, and all of precision's verdict; of density it is one part in n."""
    from gdmcourse.metrics.precision_recall import precision_recall

    real, bad = cloud(200, 3), cloud(200, 4, shift=6.0)
    outlier = torch.cat([real, torch.full((1, 4), 12.0, dtype=torch.float64)])
    assert precision_recall(bad, real).precision < 0.05 < 0.5 < precision_recall(bad, outlier).precision
    assert density_coverage(bad, outlier).density - density_coverage(bad, real).density < 0.25


@pytest.mark.parametrize(("n", "m", "k"), [(30, 30, 5), (20, 60, 3)])
def test_expected_coverage_is_the_mean_over_draws_of_one_law(n, m, k):
    found = [density_coverage(cloud(m, 1000 + i), cloud(n, i), k).coverage for i in range(300)]
    assert sum(found) / 300 == pytest.approx(expected_coverage(m, n, k), abs=0.012)


def test_refuses_what_it_cannot_judge():
    with pytest.raises(ValueError, match="at least 6 samples"):
        density_coverage(cloud(5, 1), cloud(9, 2))
    with pytest.raises(ValueError, match="neighbours must be at least 1"):
        density_coverage(cloud(9, 1), cloud(9, 2), 0)


@pytest.mark.parametrize("numbers", [(0, 9, 5), (-3, 9, 5), (9, 9, 0), (9, 5, 5)])
def test_expected_coverage_refuses_balls_that_do_not_exist(numbers):
    with pytest.raises(ValueError, match="from one neighbour to one less"):
        expected_coverage(*numbers)
    assert 0 < expected_coverage(1, 6, 5) < 1
