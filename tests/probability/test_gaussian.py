import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import sqrtm
from torch.distributions import MultivariateNormal, kl_divergence

from gdmcourse.probability import (
    condition,
    gaussian_kl,
    gaussian_log_prob,
    gaussian_w2,
    linear_image,
    product,
)
from tests.probability.strategies import gaussians

close = torch.testing.assert_close
PAIR = [
    (torch.tensor([1.0, -0.5]).double(), torch.tensor([[1.0, 0.6], [0.6, 2.0]]).double()),
    (torch.tensor([0.0, 0.3]).double(), torch.tensor([[0.5, -0.1], [-0.1, 0.8]]).double()),
]


@given(gaussians(1))
def test_log_prob_agrees_with_scipy(pair):
    [(mean, cov)] = pair
    x = mean + torch.randn(5, len(mean), dtype=torch.float64)
    expected = stats.multivariate_normal(mean.numpy(), cov.numpy()).logpdf(x.numpy())
    close(gaussian_log_prob(x, mean, cov), torch.as_tensor(expected).reshape(5))


# -- Kullback–Leibler ------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gaussian-kl")
@given(gaussians(2))
def test_kl_agrees_with_torch_distributions(pair):
    (mean_p, cov_p), (mean_q, cov_q) = pair
    expected = kl_divergence(MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q))
    close(gaussian_kl(mean_p, cov_p, mean_q, cov_q), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.equation("eq-gaussian-kl")
def test_kl_agrees_with_quadrature_in_two_dimensions():
    (mean_p, cov_p), (mean_q, cov_q) = PAIR
    axis = torch.linspace(-12, 12, 801, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    log_p, log_q = gaussian_log_prob(points, mean_p, cov_p), gaussian_log_prob(points, mean_q, cov_q)
    integral = (log_p.exp() * (log_p - log_q)).sum() * (axis[1] - axis[0]) ** 2
    close(gaussian_kl(mean_p, cov_p, mean_q, cov_q), integral, rtol=1e-9, atol=0)


@pytest.mark.equation("eq-kl-nonnegative")
@given(gaussians(1, d=3), st.sampled_from(["mean", "scale", "shear"]), st.booleans())
def test_kl_is_zero_only_for_equals(pair, moved, back):
    """Two Gaussians that differ in one thing only: what is forgotten would leave a zero, as for equals."""
    [(mean, cov)] = pair
    shear = torch.eye(3, dtype=torch.float64)
    shear[2, 0] = 0.1
    other = {
        "mean": (mean + 0.1 * cov[0, 0].sqrt(), cov),
        "scale": (mean, 1.1 * cov),
        "shear": (mean, shear @ cov @ shear.mT),
    }[moved]
    p, q = (other, (mean, cov)) if back else ((mean, cov), other)
    ours = gaussian_kl(*p, *q)
    close(ours, kl_divergence(MultivariateNormal(*p), MultivariateNormal(*q)), rtol=1e-6, atol=1e-12)
    assert ours > 1e-5
    assert 0 <= gaussian_kl(*p, *p) < 1e-24


def test_kl_stays_accurate_where_the_textbook_formula_cancels():
    """In float32, scales that differ by 1e-4: trace − D − log det would be all rounding."""
    cov, delta = torch.eye(64), 1e-4
    ours = gaussian_kl(torch.zeros(64), cov * (1 + delta) ** 2, torch.zeros(64), cov)
    assert ours.item() == pytest.approx(64 * (((1 + delta) ** 2 - 1) / 2 - math.log1p(delta)), rel=1e-2)


@given(gaussians(2, d=2))
def test_kl_does_not_change_under_a_change_of_coordinates(pair):
    """KL is the same in any coordinates, which W2 is not."""
    matrix = torch.tensor([[2.0, 1.0], [0.0, 0.5]]).double()
    offset = torch.tensor([3.0, -1.0]).double()
    moved = [linear_image(matrix, offset, *gaussian) for gaussian in pair]
    close(gaussian_kl(*moved[0], *moved[1]), gaussian_kl(*pair[0], *pair[1]), rtol=1e-7, atol=1e-9)


def test_kl_refuses_a_singular_covariance_by_name():
    flat = torch.diag(torch.tensor([1.0, 0.0]))
    with pytest.raises(ValueError, match="cov_q is not positive definite"):
        gaussian_kl(torch.zeros(2), torch.eye(2), torch.zeros(2), flat)


# -- Wasserstein -----------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gaussian-w2")
@given(gaussians(2))
def test_w2_agrees_with_pot(pair):
    (mean_p, cov_p), (mean_q, cov_q) = [(m.numpy(), c.numpy()) for m, c in pair]
    expected = ot.gaussian.bures_wasserstein_distance(mean_p, mean_q, cov_p, cov_q)
    ours = gaussian_w2(*pair[0], *pair[1])
    assert ours.item() == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.equation("eq-gaussian-w2")
def test_w2_is_reached_by_the_affine_map_of_the_proof(generator):
    """x ↦ m_q + A (x − m_p) carries p to q, and its mean squared displacement is W2²."""
    (mean_p, cov_p), (mean_q, cov_q) = PAIR
    root = torch.as_tensor(np.real(sqrtm(cov_p.numpy())))
    inverse = torch.linalg.inv(root)
    matrix = inverse @ torch.as_tensor(np.real(sqrtm((root @ cov_q @ root).numpy()))) @ inverse
    image_mean, image_cov = linear_image(matrix, mean_q - matrix @ mean_p, mean_p, cov_p)
    close(image_mean, mean_q)
    close(image_cov, cov_q)
    move = matrix - torch.eye(2).double()
    cost = (mean_p - mean_q).square().sum() + (move @ cov_p @ move.T).trace()
    close(gaussian_w2(mean_p, cov_p, mean_q, cov_q).square(), cost)


@pytest.mark.equation("eq-gaussian-w2")
def test_w2_agrees_with_an_assignment_between_samples(generator):
    """Optimal matching of 2000 points from each side (POT's exact solver) comes within a few per cent."""
    samples = [MultivariateNormal(mean, cov) for mean, cov in PAIR]
    torch.manual_seed(0)
    x, y = (law.sample((2000,)).numpy() for law in samples)
    cost = ot.emd2([], [], ot.dist(x, y), numItermax=1_000_000)
    assert math.sqrt(cost) == pytest.approx(gaussian_w2(*PAIR[0], *PAIR[1]).item(), rel=0.03)


@given(gaussians(3))
def test_w2_is_a_metric(triple):
    p, q, r = triple
    pq, qr, pr = gaussian_w2(*p, *q), gaussian_w2(*q, *r), gaussian_w2(*p, *r)
    close(pq, gaussian_w2(*q, *p))
    assert pq > 0
    assert gaussian_w2(*p, *p) <= 1e-6 * p[1].trace().sqrt()
    assert pr <= pq + qr + 1e-9


def test_w2_of_point_masses_is_the_distance_between_them():
    zero = torch.zeros(2, 2)
    close(gaussian_w2(torch.zeros(2), zero, torch.tensor([3.0, 4.0]), zero), torch.tensor(5.0))


def test_w2_refuses_a_negative_eigenvalue():
    with pytest.raises(ValueError, match="cov_p has the negative eigenvalue -1"):
        gaussian_w2(torch.zeros(2), torch.diag(torch.tensor([1.0, -1.0])), torch.zeros(2), torch.eye(2))


# -- Conditioning, product, affine image -----------------------------------------------------------------


@pytest.mark.equation("eq-conditioning")
@given(gaussians(1, d=4))
def test_conditioning_obeys_the_product_rule(pair):
    """log p(a, b) = log p(b) + log p(a given b) at any point."""
    [(mean, cov)] = pair
    x = mean + torch.randn(4, dtype=torch.float64)
    seen, hidden = [2, 0], [1, 3]
    conditional_mean, conditional_cov = condition(mean, cov, seen, x[seen])
    joint = gaussian_log_prob(x[None], mean, cov)
    marginal = gaussian_log_prob(x[None, seen], mean[seen], cov[seen][:, seen])
    conditional = gaussian_log_prob(x[None, hidden], conditional_mean, conditional_cov)
    close(joint, marginal + conditional, rtol=1e-6, atol=1e-6)


@pytest.mark.equation("eq-conditioning")
def test_conditioning_agrees_with_the_samples_that_pass_by(generator):
    """Brute force: of many points keep those whose second coordinate is near 1.0 and average the first."""
    mean, cov = torch.zeros(2).double(), torch.tensor([[1.0, 0.8], [0.8, 1.0]]).double()
    noise = torch.randn(2_000_000, 2, dtype=torch.float64, generator=generator)
    points = noise @ torch.linalg.cholesky(cov).T
    near = points[(points[:, 1] - 1.0).abs() < 0.01, 0]
    expected_mean, expected_cov = condition(mean, cov, [1], torch.ones(1).double())
    assert near.mean().item() == pytest.approx(
        expected_mean.item(), abs=4 * near.std().item() / len(near) ** 0.5
    )
    assert near.var().item() == pytest.approx(expected_cov.item(), rel=4 * (2 / len(near)) ** 0.5)


def test_conditioning_on_nothing_changes_nothing():
    mean, cov = PAIR[0]
    close(condition(mean, cov, [], torch.zeros(0).double()), (mean, cov))


@pytest.mark.parametrize(
    ("index", "values", "message"),
    [
        ([2], [0.0], "observed_index must lie in 0 … 1"),
        ([0, 0], [0.0, 0.0], "different coordinates"),
        ([0, 1], [0.0, 0.0], "at least one unobserved"),
        ([0], [0.0, 1.0], "1 coordinates are observed but 2 values"),
    ],
)
def test_conditioning_refuses_what_makes_no_sense(index, values, message):
    with pytest.raises(ValueError, match=message):
        condition(*PAIR[0], index, torch.tensor(values).double())


@pytest.mark.equation("eq-gaussian-product")
@given(gaussians(2))
def test_product_equals_the_two_densities_multiplied(pair):
    (mean_1, cov_1), (mean_2, cov_2) = pair
    x = mean_1 + torch.randn(6, len(mean_1), dtype=torch.float64)
    mean, cov, log_scale = product(mean_1, cov_1, mean_2, cov_2)
    both = gaussian_log_prob(x, mean_1, cov_1) + gaussian_log_prob(x, mean_2, cov_2)
    close(log_scale + gaussian_log_prob(x, mean, cov), both, rtol=1e-6, atol=1e-5)


@pytest.mark.equation("eq-gaussian-product")
def test_product_adds_precisions():
    (mean_1, cov_1), (mean_2, cov_2) = PAIR
    mean, cov, _ = product(mean_1, cov_1, mean_2, cov_2)
    precision_1, precision_2 = torch.linalg.inv(cov_1), torch.linalg.inv(cov_2)
    close(torch.linalg.inv(cov), precision_1 + precision_2)
    close(mean, cov @ (precision_1 @ mean_1 + precision_2 @ mean_2))


@pytest.mark.equation("eq-affine-image")
@given(gaussians(1))
def test_affine_image_has_the_density_of_the_change_of_variables(pair):
    """For an invertible A: log p_y(A x + b) = log p_x(x) − log |det A|."""
    [(mean, cov)] = pair
    d = len(mean)
    matrix = torch.eye(d).double() + 0.3 * torch.ones(d, d).double()
    offset = torch.arange(d).double()
    x = mean + torch.randn(5, d, dtype=torch.float64)
    image = gaussian_log_prob(x @ matrix.T + offset, *linear_image(matrix, offset, mean, cov))
    close(image, gaussian_log_prob(x, mean, cov) - torch.linalg.slogdet(matrix)[1])


@pytest.mark.equation("eq-affine-image")
def test_affine_image_onto_fewer_dimensions_agrees_with_samples(generator):
    mean, cov = PAIR[0]
    matrix, offset = torch.tensor([[2.0, -1.0]]).double(), torch.tensor([0.5]).double()
    noise = torch.randn(400_000, 2, dtype=torch.float64, generator=generator)
    points = (mean + noise @ torch.linalg.cholesky(cov).T) @ matrix.T + offset
    image_mean, image_cov = linear_image(matrix, offset, mean, cov)
    std = image_cov.sqrt().item()
    distance = stats.kstest(points[:, 0].numpy(), stats.norm(image_mean.item(), std).cdf).statistic
    assert distance < 1.95 / math.sqrt(len(points))  # exceeded once in a thousand if the law were right


@pytest.mark.equation("eq-gaussian-sum")
def test_sum_of_independent_gaussians_is_their_convolution():
    grid = torch.linspace(-20, 20, 4001, dtype=torch.float64)
    step = grid[1] - grid[0]

    def one(mean: float, variance: float) -> torch.Tensor:
        cov = torch.tensor([[variance]]).double()
        return gaussian_log_prob(grid[:, None], torch.tensor([mean]).double(), cov)

    convolved = np.convolve(one(1.0, 0.5).exp(), one(-2.0, 3.0).exp(), mode="same") * step.item()
    close(torch.as_tensor(convolved), one(-1.0, 3.5).exp(), rtol=0, atol=1e-9)


@pytest.mark.equation("eq-gaussian-sum")
@given(gaussians(2))
def test_sum_is_the_affine_image_of_the_stacked_pair(pair):
    (mean_1, cov_1), (mean_2, cov_2) = pair
    both = torch.cat([torch.eye(len(mean_1))] * 2, dim=1).double()
    mean, cov = linear_image(
        both, torch.zeros_like(mean_1), torch.cat([mean_1, mean_2]), torch.block_diag(cov_1, cov_2)
    )
    close(mean, mean_1 + mean_2)
    close(cov, cov_1 + cov_2)


@pytest.mark.parametrize("function", [gaussian_kl, gaussian_w2, product])
def test_an_asymmetric_covariance_is_named(function):
    crooked = torch.tensor([[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"cov\w* is not symmetric"):
        function(torch.zeros(2), torch.eye(2), torch.zeros(2), crooked)


@settings(max_examples=20)
@given(gaussians(2))
def test_float32_agrees_with_float64(pair):
    single = [(mean.float(), cov.float()) for mean, cov in pair]
    for function in (gaussian_kl, gaussian_w2):
        exact = function(*pair[0], *pair[1])
        close(function(*single[0], *single[1]).double(), exact, rtol=2e-3, atol=1e-3)
