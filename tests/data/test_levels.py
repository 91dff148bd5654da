"""Levels of a pixel there and back, dequantisation, and bits that uniform pixels cost exactly."""

import math

import pytest
import torch
from scipy import stats

from gdmcourse.data import load
from gdmcourse.data.levels import LEVELS, bin_width, bits_per_dim, dequantise, from_levels, to_levels


def test_stored_digits_come_back():
    images = load("digits", "test").images
    symbols = to_levels(images, LEVELS["digits"])
    assert (int(symbols.min()), int(symbols.max())) == (0, 16)
    assert torch.equal(from_levels(symbols, 17), images)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_every_level_is_told_from_its_neighbours(levels):
    symbols = torch.arange(levels)
    assert torch.equal(to_levels(from_levels(symbols, levels), levels), symbols)


@pytest.mark.parametrize("images", [torch.full((2, 1), 0.03), torch.full((2, 1), 1.125)])
def test_what_has_other_levels_is_refused(images):
    with pytest.raises(ValueError, match="don't have 17 evenly spaced values from −1 to 1"):
        to_levels(images, 17)


def test_dequantised_pixels_are_uniform_in_their_bin():
    images = from_levels(torch.arange(17), 17).expand(500, -1)
    moved = dequantise(images, 17, torch.Generator().manual_seed(0))
    place = ((moved - images) / bin_width(17) + 0.5).flatten().double()
    assert stats.kstest(place.numpy(), "uniform").pvalue > 0.01
    nearest = ((moved + 1) / bin_width(17)).round()
    assert torch.equal(nearest.long(), torch.arange(17).expand(500, -1))


def test_uniform_pixels_cost_the_logarithm_of_their_levels():
    """As probabilities of symbols, and as a density on the interval that all bins fill."""
    for levels, dimensions in ((256, 12), (17, 64), (2, 3)):
        symbols = torch.full((4,), -dimensions * math.log(levels), dtype=torch.float64)
        filled = levels * bin_width(levels)
        density = torch.full((4,), -dimensions * math.log(filled), dtype=torch.float64)
        expected = torch.full((4,), math.log2(levels), dtype=torch.float64)
        torch.testing.assert_close(bits_per_dim(symbols, dimensions), expected)
        torch.testing.assert_close(bits_per_dim(density, dimensions, levels=levels), expected)


def test_a_density_of_dequantised_pixels_costs_no_less_than_its_bins():
    """One pixel under a normal density: the mean over places in a bin against the bin's own probability."""
    law = torch.distributions.Normal(torch.tensor(0.2, dtype=torch.float64), 0.3)
    pixel = from_levels(torch.tensor([9]), 17).double()
    half = bin_width(17) / 2
    exact = bits_per_dim((law.cdf(pixel + half) - law.cdf(pixel - half)).log(), 1)
    moved = dequantise(pixel.expand(200_000), 17, torch.Generator().manual_seed(0))
    measured = bits_per_dim(law.log_prob(moved), 1, levels=17).mean()
    assert exact < measured < exact + 0.02
