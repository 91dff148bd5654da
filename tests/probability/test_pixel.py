"""The likelihood of stored pixels, against SciPy's distribution function and quadrature."""

import itertools
import math

import pytest
import torch
from scipy.stats import norm

from gdmcourse.probability.pixel import check_levels, expected_pixel, pixel_log_prob

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


@pytest.mark.parametrize("value", [0.03, -1.125, 1.125, math.nan, math.inf])
def test_a_pixel_on_no_level_is_refused(value):
    """Between two levels, one level beyond the last, and what is no number."""
    with pytest.raises(ValueError, match="don't have 17 evenly spaced values from −1 to 1"):
        check_levels(torch.tensor([0.5, value, -1.0]), 17)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_every_level_passes_in_single_precision(levels):
    check_levels(torch.arange(levels).float() / (levels - 1) * 2 - 1, levels)


@pytest.mark.parametrize("levels", [1, 0, -3])
def test_a_pixel_of_one_level_is_none(levels):
    zero = torch.zeros(1)
    for ask in (lambda: check_levels(zero, levels), lambda: expected_pixel(zero, zero, levels)):
        with pytest.raises(ValueError, match=f"at least 2 levels, not {levels}"):
            ask()
