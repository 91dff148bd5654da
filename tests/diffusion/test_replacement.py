"""Inpainting by replacement, for a pair of Gaussians: closed forms against steps that are walked exactly."""

import itertools
import math

import numpy as np
import pytest
import torch

from gdmcourse.diffusion import cosine_schedule
from gdmcourse.diffusion.denoiser import exact_denoiser
from gdmcourse.diffusion.replacement import believed, left_uncertain
from gdmcourse.diffusion.samplers import inpaint, spaced_times
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal


def walked(rho, visits, steps):
    """Mean per unit of what is known, and variance, of the hidden number after so many exact steps."""
    levels = np.geomspace(1e-5, 1, steps + 1)
    mean, cov = np.array([0.0, math.sqrt(levels[0])]), np.diag([1.0, 1 - levels[0]])
    for before, after in itertools.pairwise(levels):
        keep = math.sqrt(before / after)
        noisy = np.array([[1, before * rho], [before * rho, 1]])
        cross = np.array([keep, keep * after * rho])
        row = np.linalg.solve(noisy, cross)
        for visit in range(visits):
            hidden, spread = row @ mean, row @ cov @ row + 1 - row @ cross
            mean = np.array([hidden, math.sqrt(after)])
            cov = np.diag([spread, 1 - after])
            if visit < visits - 1:
                mean, cov = keep * mean, keep**2 * cov + (1 - keep**2) * np.eye(2)
    return mean[0], cov[0, 0]


@pytest.mark.equation("eq-app-replacement")
@pytest.mark.parametrize("rho", [0.2, 0.6, 0.95])
def test_replacement_believes_too_little_and_is_too_unsure(rho):
    coarse, fine = walked(rho, 1, 1000), walked(rho, 1, 2000)
    mean, variance = (
        2 * finer - less for less, finer in zip(coarse, fine, strict=True)
    )  # error of order 1/steps
    angle = math.asin(rho)
    assert believed(rho) == pytest.approx(math.tan(angle / 2), rel=1e-9)
    assert mean == pytest.approx(math.tan(angle / 2), rel=1e-3)
    assert variance == pytest.approx(left_uncertain(rho), rel=5e-3)
    assert mean < 0.9 * rho
    assert left_uncertain(rho) > 1 - rho**2


@pytest.mark.equation("eq-app-visits")
@pytest.mark.parametrize("visits", [1, 2, 3, 8])
def test_more_visits_believe_more(visits):
    for rho in (0.3, 0.9):
        assert walked(rho, visits, 2000)[0] == pytest.approx(believed(rho, visits), rel=5e-3)
    shares = [believed(rho, visits) / rho for rho in (0.001, 0.1, 0.5, 0.9, 0.999)]
    assert shares[0] == pytest.approx(visits / (visits + 1), rel=1e-5)
    assert shares == sorted(shares)
    assert all(visits / (visits + 1) <= share < 1 for share in shares)


def test_the_sampler_ends_where_the_formula_says():
    rho = 0.6
    cov = torch.tensor([[[1, rho], [rho, 1]]], dtype=torch.float64)
    pair = GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), cov)
    clock = cosine_schedule(1000)
    x = inpaint(
        exact_denoiser(pair, clock), clock, normal(4000, 2), spaced_times(1000, 250),
        known=torch.tensor([0.0, 2.0]).double().expand(4000, 2), mask=torch.tensor([0, 1]),
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip
    assert x[:, 0].mean().item() == pytest.approx(2 * believed(rho), abs=0.08)
    assert x[:, 0].mean().item() < 2 * rho - 0.3
    assert x[:, 0].var().item() == pytest.approx(left_uncertain(rho), abs=0.07)


def test_what_can_not_be_is_refused():
    with pytest.raises(ValueError, match="strictly between 0 and 1, not 1"):
        believed(1.0)
    with pytest.raises(ValueError, match="visits must be at least 1"):
        believed(0.5, 0)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        left_uncertain(0.0)
