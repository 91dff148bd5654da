"""The 2-D toys against what defines them: the exact mixture, or the curve that they lie on."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.data import TOYS, UnknownDatasetError, gaussian_grid, gaussian_ring, toy, toy_mixture
from gdmcourse.data.toys import MIXTURES, checkerboard, moons, pinwheel, spirals
from gdmcourse.probability import GaussianMixture

sizes, seeds = st.integers(1, 300), st.integers(0, 2**63 - 1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.sampled_from(TOYS), sizes, seeds)
def test_same_seed_same_points(name, n, seed):
    points = toy(name, n, generator(seed))
    assert points.shape == (n, 2)
    assert points.dtype == torch.float32
    assert points.isfinite().all()
    assert points.abs().max() < 6
    assert torch.equal(points, toy(name, n, generator(seed)))


@given(st.sampled_from(TOYS), seeds)
def test_the_generator_moves_on(name, seed):
    g = generator(seed)
    assert not torch.equal(toy(name, 10, g), toy(name, 10, g))


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    for name in TOYS:
        toy(name, 5, generator())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "k", "std", "reach"), [("8gaussians", 8, 0.01, 1), ("25gaussians", 25, 0.05, 4)]
)
def test_the_protocol_of_pacgan(name, k, std, reach):
    weights, means, covariances = toy_mixture(name)
    assert torch.equal(weights, torch.full((k,), 1 / k))
    assert torch.allclose(covariances, std**2 * torch.eye(2).expand(k, 2, 2))
    assert means.abs().max() == reach
    assert torch.cdist(means, means).fill_diagonal_(math.inf).min() > 20 * std


def test_ring_and_grid_have_the_geometry_that_they_say():
    assert torch.allclose(gaussian_ring(modes=6, radius=3.0).means.norm(dim=1), torch.tensor(3.0))
    means = gaussian_grid(side=3, step=0.5).means
    assert {tuple(m) for m in means.tolist()} == {(x, y) for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)}


@pytest.mark.parametrize("name", MIXTURES)
def test_samples_follow_the_exact_mixture(name):
    n = 20_000
    points, mixture = toy(name, n, generator()).double(), toy_mixture(name)
    oracle = GaussianMixture(*(p.double() for p in mixture))
    k, variance = len(mixture.weights), float(mixture.covariances[0, 0, 0])
    # Modes this far apart don't overlap: −log p = log K + log 2πσ² + r²/2σ², and r²/2σ² is exponential with
    # mean and standard deviation 1.
    entropy = math.log(k) + math.log(2 * math.pi * variance) + 1
    assert abs(float(-oracle.log_prob(points).mean()) - entropy) < 4 / math.sqrt(n)
    nearest = torch.cdist(points, mixture.means.double()).min(dim=1)
    counts = nearest.indices.bincount(minlength=k)
    assert ((counts - n / k).abs() < 4 * math.sqrt(n / k)).all()
    # r²/σ² is chi-squared with two degrees of freedom, so r > 3σ has probability exp(−9/2).
    outside = (nearest.values > 3 * math.sqrt(variance)).double().mean()
    assert abs(float(outside) - math.exp(-4.5)) < 4 * math.sqrt(math.exp(-4.5) / n)
    spread = oracle.covariance().diagonal().sqrt()
    assert ((points.mean(0) - oracle.mean()).abs() < 4 * spread / math.sqrt(n)).all()


@given(seeds)
def test_moons_lie_on_two_half_circles(seed):
    points = moons(200, generator(seed), std=0.0)
    upper = points - torch.tensor([-0.5, -0.25])
    lower = points - torch.tensor([0.5, 0.25])
    on_upper = (upper.norm(dim=1) - 1).abs() < 1e-5
    on_lower = (lower.norm(dim=1) - 1).abs() < 1e-5
    assert ((on_upper & (upper[:, 1] > -1e-5)) | (on_lower & (lower[:, 1] < 1e-5))).all()
    assert on_upper.any()
    assert on_lower.any()


@given(seeds)
def test_spirals_have_a_radius_that_grows_with_the_angle(seed):
    points = spirals(200, generator(seed), std=0.0)
    radius = points.norm(dim=1)
    theta = 1.5 * math.pi * radius
    arm = radius[:, None] * torch.stack([theta.cos(), theta.sin()], dim=1)
    off = torch.minimum((points - arm).norm(dim=1), (points + arm).norm(dim=1))
    assert off.max() < 1e-4
    assert radius.max() <= 2 + 1e-6


@given(seeds)
def test_the_checkerboard_leaves_every_other_square_empty(seed):
    points = checkerboard(200, generator(seed))
    assert (points.floor().sum(dim=1).remainder(2) == 0).all()
    assert (points.abs() <= 2).all()


def test_the_checkerboard_fills_its_eight_squares_evenly():
    n = 16_000
    squares = checkerboard(n, generator()).floor().clamp(-2, 1).long() + 2
    counts = (4 * squares[:, 0] + squares[:, 1]).bincount(minlength=16)
    assert (counts > 0).sum() == 8
    assert ((counts[counts > 0] - n / 8).abs() < 4 * math.sqrt(n / 8)).all()


@pytest.mark.parametrize("arms", [3, 5])
def test_the_pinwheel_is_the_same_after_a_turn_by_one_arm(arms):
    n = 50_000
    points = pinwheel(n, generator(), arms=arms)
    # r² = (1 + 0.3 ε₁)² + (0.1 ε₂)², with mean 1 + 0.09 + 0.01.
    assert abs(float(points.square().sum(dim=1).mean()) - 1.1) < 0.01
    # A turn by 2π/arms leaves only those moments of exp(iφ) whose order is a multiple of the number of arms.
    phase = torch.complex(*points.unbind(1)).sgn()
    for order in range(1, arms):
        assert (phase**order).mean().abs() < 4 / math.sqrt(n)
    assert (phase**arms).mean().abs() > 0.3


def test_a_wrong_name_lists_the_toys():
    with pytest.raises(UnknownDatasetError, match="8gaussians, 25gaussians, moons"):
        toy("swissroll", 5, generator())
    with pytest.raises(UnknownDatasetError, match=r"'moons' is not a Gaussian mixture.*8gaussians"):
        toy_mixture("moons")


def test_no_points_are_refused():
    with pytest.raises(ValueError, match="at least one point"):
        toy("moons", 0, generator())
