"""The likelihood of stored pixels, against SciPy's distribution function and quadrature."""

import itertools
import math

import pytest
import torch
from scipy.stats import norm

from gdmcourse.probability.pixel import expected_pixel, pixel_log_prob

LEVELS = torch.linspace(-1, 1, 17, dtype=torch.float64)


@pytest.mark.equation("eq-vae-discretised")
@pytest.mark.parametrize(("mean", "std"), [(0.1, 0.3), (-1.4, 0.05), (3.0, 0.8), (0.97, 4.0)])
def test_masses_are_differences_of_the_distribution_function_and_add_to_one(mean, std):
    at = torch.full_like(LEVELS, mean), torch.full_like(LEVELS, 2 * math.log(std))
    masses = pixel_log_prob(LEVELS, *at, levels=17).exp()
    edges = [-math.inf, *(LEVELS[:-1] + 1 / 16).tolist(), math.inf]
    expected = [norm.cdf(b, mean, std) - norm.cdf(a, mean, std) for a, b in itertools.pairwise(edges)]
    torch.testing.assert_close(masses, torch.tensor(expected, dtype=torch.float64), atol=1e-7, rtol=1e-6)
    assert masses.sum().item() == pytest.approx(1, abs=1e-6)
    assert expected_pixel(at[0][:1], at[1][:1], 17).item() == pytest.approx((masses * LEVELS).sum().item())


@pytest.mark.equation("eq-vae-discretised")
@pytest.mark.parametrize(("mean", "std", "near"), [(0.1, 0.3, 1e-3), (-1.4, 0.4, 0.02), (0.05, 0.04, 1.0)])
def test_a_density_of_noisy_pixels_bounds_the_masses(mean, std, near):
    """By hardly more than nothing where the density is nearly the same all over a bin."""
    u = torch.linspace(-1 / 16, 1 / 16, 2001, dtype=torch.float64)
    at = torch.full_like(LEVELS, mean), torch.full_like(LEVELS, 2 * math.log(std))
    masses = pixel_log_prob(LEVELS, *at, levels=17)
    wide = (
        torch.full((17, 2001), mean, dtype=torch.float64),
        torch.full((17, 2001), 2 * math.log(std), dtype=torch.float64),
    )
    density = pixel_log_prob(LEVELS[:, None] + u, *wide)
    torch.testing.assert_close(density[3], torch.from_numpy(norm.logpdf(LEVELS[3] + u, mean, std)))
    bound = torch.trapezoid(density, u, dim=1) * 8 + math.log(1 / 8)
    assert (masses >= bound - 1e-9).all()
    assert (masses - bound).max() > 1e-4
    assert (masses - bound).min() < near


def test_a_pixel_earns_nothing_by_being_certain():
    white = torch.tensor([-1.0])
    sure = pixel_log_prob(white, torch.tensor([-1.5]), torch.tensor([-14.0]), levels=17)
    assert -1e-6 < sure.item() <= 0
    assert pixel_log_prob(white, white, torch.tensor([-14.0])).item() == pytest.approx(
        7 - 0.5 * math.log(2 * math.pi), abs=1e-5
    )
