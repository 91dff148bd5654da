"""Claims of the chapter on Gaussian mixtures whose formulas stand on the page and not in the library."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.likelihood import e_step, m_step
from gdmcourse.probability import GaussianMixture
from tests.oracles import gen

close = torch.testing.assert_close


def positive_definite(seed: int, k: int, d: int) -> torch.Tensor:
    factor = torch.randn(k, d, d, generator=gen(seed), dtype=torch.float64)
    return factor @ factor.mT / d + 0.3 * torch.eye(d, dtype=torch.float64)


def some_mixture(seed: int = 0, k: int = 3, d: int = 2) -> GaussianMixture:
    weights = torch.softmax(torch.randn(k, generator=gen(seed), dtype=torch.float64), 0)
    means = 2 * torch.randn(k, d, generator=gen(seed + 1), dtype=torch.float64)
    return GaussianMixture(weights, means, positive_definite(seed + 2, k, d))


@pytest.mark.equation("eq-gmm-elbo")
@given(seed=st.integers(0, 500))
def test_bound_plus_divergence_is_the_log_likelihood_for_every_q(seed):
    mixture = some_mixture(seed)
    x = mixture.sample(20, gen(seed))
    q = torch.softmax(3 * torch.randn(20, 3, generator=gen(seed + 9), dtype=torch.float64), 1)
    log_joint = torch.stack(  # by torch.distributions, one component at a time
        [
            w.log() + torch.distributions.MultivariateNormal(m, c).log_prob(x)
            for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
        ],
        dim=1,
    )
    bound = (q * (log_joint - q.log())).sum(1)
    posterior = torch.softmax(log_joint, 1)
    divergence = (q * (q / posterior).log()).sum(1)
    close(bound + divergence, e_step(x, mixture)[1])
    assert (divergence >= 0).all()
    # At the responsibilities the bound touches.
    log_r, log_p = e_step(x, mixture)
    close((log_r.exp() * (log_joint - log_r)).sum(1), log_p)


@pytest.mark.equation("eq-gmm-gradient")
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_the_components_weighted_by_responsibilities(seed):
    mixture = some_mixture(seed)
    x = mixture.sample(1, gen(seed))
    parameters = [mixture.weights.clone(), mixture.means.clone(), mixture.covariances.clone()]
    for parameter in parameters:
        parameter.requires_grad_()
    weights, *bells = parameters
    log_joint = weights.log() + torch.distributions.MultivariateNormal(*bells).log_prob(x)
    of_sum = torch.autograd.grad(torch.logsumexp(log_joint, 0), parameters, retain_graph=True)
    of_each = [torch.autograd.grad(value, parameters, retain_graph=True) for value in log_joint]
    r = e_step(x, mixture)[0].exp()[0]
    for index, gradient in enumerate(of_sum):
        close(gradient, sum(r[k] * of_each[k][index] for k in range(3)))


@pytest.mark.parametrize("floor", [1e-3, 0.5, 40.0])
def test_what_a_floor_costs_is_the_formula_of_the_chapter(floor):
    x = torch.randn(30, 1, generator=gen(1), dtype=torch.float64)
    free, floored = (m_step(x, torch.ones(30, 1).double(), floor=f) for f in (0.0, floor))
    s = free.covariances.item()
    cost = 0.5 * (math.log1p(floor / s) + s / (s + floor) - 1)
    assert (free.log_prob(x) - floored.log_prob(x)).mean().item() == pytest.approx(cost, rel=1e-9)


@pytest.mark.equation("eq-gmm-matrix-derivatives")
@pytest.mark.parametrize("d", [1, 2, 4])
def test_derivatives_with_respect_to_a_matrix_by_autograd(d):
    precision = positive_definite(1, 1, d)[0] + 0.1 * torch.randn(d, d, generator=gen(2), dtype=torch.float64)
    scatter = torch.randn(d, d, generator=gen(3), dtype=torch.float64)  # neither needs to be symmetric
    jacobian = torch.autograd.functional.jacobian
    close(jacobian(lambda m: torch.trace(m @ scatter), precision), scatter.T)
    close(jacobian(torch.logdet, precision), torch.linalg.inv(precision).T)


@pytest.mark.equation("eq-gmm-collapse")
@pytest.mark.parametrize("d", [1, 3])
def test_a_component_that_shrinks_onto_a_point_raises_the_likelihood_without_limit(d):
    x = torch.randn(12, d, generator=gen(d), dtype=torch.float64)
    centre = x.mean(0)
    standard = torch.distributions.MultivariateNormal(centre, torch.eye(d, dtype=torch.float64))
    log_normal = standard.log_prob(x[1:])
    constant = -0.5 * d * math.log(2 * math.pi) - 12 * math.log(2) + log_normal.sum().item()

    def log_likelihood(sigma: float) -> float:
        variances = torch.tensor([sigma**2, 1.0], dtype=torch.float64)
        covariances = variances[:, None, None] * torch.eye(d, dtype=torch.float64)
        half = torch.tensor([0.5, 0.5], dtype=torch.float64)
        mixture = GaussianMixture(half, torch.stack([x[0], centre]), covariances)
        return e_step(x, mixture)[1].sum().item()

    for sigma in (1.0, 1e-2, 1e-4, 1e-8, 1e-16):
        assert log_likelihood(sigma) >= -d * math.log(sigma) + constant - 1e-9
    assert log_likelihood(1e-100) - log_likelihood(1e-50) == pytest.approx(50 * d * math.log(10), rel=1e-9)


@pytest.mark.equation("eq-gmm-labels")
def test_every_order_of_the_components_is_the_same_density():
    mixture = some_mixture(4)
    x = mixture.sample(50, gen(0))
    described = set()
    for order in map(list, itertools.permutations(range(3))):
        other = GaussianMixture(mixture.weights[order], mixture.means[order], mixture.covariances[order])
        close(e_step(x, other)[1], e_step(x, mixture)[1])
        described.add(tuple(other.means.flatten().tolist()))
    assert len(described) == math.factorial(3)


@pytest.mark.equation("eq-gmm-elbo")
def test_the_bound_of_the_picture_touches_lies_below_and_peaks_at_the_new_mean():
    pair = GaussianMixture.isotropic(
        torch.tensor([[0.0], [4.0]]).double(), 1.0, torch.tensor([0.75, 0.25]).double()
    )
    x = pair.sample(200, gen(3))

    def at(mu: float) -> GaussianMixture:
        return GaussianMixture.isotropic(torch.tensor([[0.0], [mu]]).double(), 1.0, pair.weights)

    log_q = e_step(x, at(1.5))[0]
    grid = torch.linspace(0.5, 5.5, 201, dtype=torch.float64).tolist()
    bound = torch.tensor([(log_q.exp() * (at(mu).log_joint(x) - log_q)).sum() for mu in grid])
    truth = torch.tensor([e_step(x, at(mu))[1].sum() for mu in grid])
    assert (bound <= truth + 1e-9).all()
    assert grid[int((truth - bound).argmin())] == pytest.approx(1.5)
    peak = m_step(x, log_q.exp()).means[1].item()
    assert grid[int(bound.argmax())] == pytest.approx(peak, abs=0.025)
