"""The linear VAE against torch.distributions, scikit-learn, and optimisation without its formulas."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal

from gdmcourse.likelihood.linear_vae import LinearVAE, fit_linear_vae
from tests.oracles import gen, normal

close = torch.testing.assert_close


def some_model(seed: int = 0, dim: int = 5, latents: int = 3) -> LinearVAE:
    return LinearVAE(normal(dim, latents, seed=seed), normal(dim, seed=seed + 1), 0.3)


def joint(model: LinearVAE) -> MultivariateNormal:
    """The law of (z, x), from its definition: (z, ε) ↦ (z, W z + b + σ ε)."""
    dim, latents = model.loading.shape
    step = torch.zeros(latents + dim, latents + dim, dtype=torch.float64)
    step[:latents, :latents] = torch.eye(latents)
    step[latents:, :latents] = model.loading
    step[latents:, latents:] = math.sqrt(model.variance) * torch.eye(dim)
    mean = torch.cat([torch.zeros(latents, dtype=torch.float64), model.offset])
    return MultivariateNormal(mean, step @ step.mT)


@pytest.mark.equation("eq-vae-linear")
@pytest.mark.parametrize("seed", range(3))
def test_likelihood_times_posterior_is_the_joint_density(seed):
    model, x = some_model(seed), normal(4, 5, seed=9)
    z = normal(4, 3, seed=8)
    mean, covariance = model.posterior(x)
    posterior = MultivariateNormal(mean, covariance).log_prob(z)
    close(model.log_prob(x) + posterior, joint(model).log_prob(torch.cat([z, x], 1)))


@pytest.mark.equation("eq-vae-gap")
def test_the_bound_misses_the_divergence_to_the_posterior_for_every_gaussian():
    model, x = some_model(), normal(6, 5, seed=3)
    factor = torch.tensor([[0.7, 0.0, 0.0], [0.3, 0.5, 0.0], [-0.2, 0.1, 0.9]], dtype=torch.float64)
    covariance, mean = factor @ factor.mT, normal(6, 3, seed=4)
    exact = MultivariateNormal(*model.posterior(x))
    gap = torch.distributions.kl_divergence(MultivariateNormal(mean, covariance), exact)
    close(model.elbo(x, mean, covariance) + gap, joint_marginal(model).log_prob(x))
    close(model.elbo(x, *model.posterior(x)), joint_marginal(model).log_prob(x))


def joint_marginal(model: LinearVAE) -> MultivariateNormal:
    law, latents = joint(model), model.loading.shape[1]
    return MultivariateNormal(law.mean[latents:], law.covariance_matrix[latents:, latents:])


@pytest.mark.equation("eq-vae-mean-field")
def test_no_independent_code_is_nearer_than_the_formula_says():
    model, x = some_model(1), normal(1, 5, seed=5)
    exact = MultivariateNormal(*model.posterior(x))
    parameters = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)

    def divergence() -> torch.Tensor:
        q = MultivariateNormal(parameters[0], torch.diag((2 * parameters[1]).exp()))
        return torch.distributions.kl_divergence(q, exact).sum()

    search = torch.optim.LBFGS(
        [parameters], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10
    )

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = divergence()
        loss.backward()
        return loss

    search.step(closure)
    # P from its definition, one entry at a time.
    P = torch.eye(3, dtype=torch.float64)
    for i in range(3):
        for j in range(3):
            P[i, j] += (model.loading[:, i] * model.loading[:, j]).sum() / model.variance
    close(model.precision(), P)
    formula = 0.5 * (P.diagonal().log().sum() - torch.linalg.slogdet(P).logabsdet)
    assert formula > 0.05
    close(divergence().detach(), formula, atol=1e-8, rtol=0)
    close(parameters[0].detach()[None], exact.mean, atol=1e-5, rtol=1e-4)
    close((2 * parameters[1]).exp().detach(), 1 / P.diagonal(), atol=1e-5, rtol=1e-4)


DATA = normal(400, 6, seed=7) @ torch.diag(torch.tensor([2.0, 1.5, 1.0, 0.7, 0.4, 0.2], dtype=torch.float64))
DATA = DATA @ torch.linalg.qr(normal(6, 6, seed=8)).Q + 3.0


def beta_objective(x, weights, offset, encoder, shift, log_std, beta, variance):
    """Mean over the data of E_q log p(x | z) − β KL for a linear encoder, written out."""
    mean = x @ encoder + shift
    spread = (weights.square() * (2 * log_std).exp()).sum()
    error = (x - mean @ weights.mT - offset).square().sum(1).mean() + spread
    likelihood = -0.5 * (x.shape[1] * math.log(2 * math.pi * variance) + error / variance)
    rate = 0.5 * (mean.square().sum(1).mean() + ((2 * log_std).exp() - 1 - 2 * log_std).sum())
    return likelihood - beta * rate, rate, error


@pytest.mark.equation("eq-vae-water")
@pytest.mark.parametrize(("beta", "variance", "latents"), [(1.0, 0.5, 6), (3.0, 0.25, 4), (2.0, 0.2, 2)])
def test_optimisation_finds_the_rate_and_the_error_of_the_water_level(beta, variance, latents):
    x = DATA
    parts = [0.3 * normal(6, latents, seed=1), x.mean(0), 0.3 * normal(6, latents, seed=2)]
    parts += [torch.zeros(latents, dtype=torch.float64), torch.full((latents,), -0.5, dtype=torch.float64)]
    parts = [part.clone().requires_grad_() for part in parts]
    search = torch.optim.LBFGS(parts, max_iter=1500, line_search_fn="strong_wolfe", tolerance_change=1e-13)

    def closure():
        search.zero_grad()
        loss = -beta_objective(x, *parts, beta, variance)[0]
        loss.backward()
        return loss

    search.step(closure)
    _, rate, error = beta_objective(x, *parts, beta, variance)
    eigenvalues = torch.linalg.svdvals(x - x.mean(0)).square() / len(x)
    level = beta * variance
    in_use = eigenvalues[:latents]
    close(rate.detach(), 0.5 * (in_use / level).clamp(min=1).log().sum(), atol=1e-3, rtol=0)
    expected = in_use.clamp(max=level).sum() + eigenvalues[latents:].sum()
    close(error.detach(), expected, atol=2e-3, rtol=1e-3)


@pytest.mark.equation("eq-vae-water")
@pytest.mark.parametrize(("variance", "latents"), [(0.5, 5), (0.25, 4), (0.2, 2)])
def test_the_best_fit_has_the_rate_and_the_error_of_the_water_level(variance, latents):
    model = fit_linear_vae(DATA, latents, variance)
    mean, covariance = model.posterior(DATA)
    prior = MultivariateNormal(torch.zeros(latents).double(), torch.eye(latents).double())
    rate = torch.distributions.kl_divergence(MultivariateNormal(mean, covariance), prior).mean()
    missed = (DATA - model.offset - mean @ model.loading.mT).square().sum(1).mean()
    error = missed + (model.loading @ covariance @ model.loading.mT).trace()
    eigenvalues = torch.linalg.svdvals(DATA - DATA.mean(0)).square() / len(DATA)
    in_use = eigenvalues[:latents]
    close(rate, 0.5 * (in_use / variance).clamp(min=1).log().sum())
    close(error, in_use.clamp(max=variance).sum() + eigenvalues[latents:].sum())


@pytest.mark.equation("eq-vae-beta")
@pytest.mark.parametrize("beta", [0.3, 1.0, 5.0])
def test_beta_is_the_variance_of_the_pixels(beta):
    """Two unrelated sets of weights: the two objectives differ by the same number."""
    variance, constants = 0.7, []
    for seed in (1, 2):
        parts = [
            normal(6, 2, seed=seed),
            normal(6, seed=seed + 2),
            normal(6, 2, seed=seed + 4),
            normal(2, seed=seed + 6),
            normal(2, seed=seed + 8),
        ]
        with_beta = beta_objective(DATA, *parts, beta, variance)[0]
        plain = beta_objective(DATA, *parts, 1.0, beta * variance)[0]
        constants.append(with_beta - beta * plain)
    close(constants[0], constants[1])


def test_the_fit_without_a_variance_is_that_of_scikit_learn():
    ours = fit_linear_vae(DATA, 3)
    scale = (len(DATA) - 1) / len(DATA)
    peer = PCA(3).fit(DATA.numpy())
    covariance = ours.loading @ ours.loading.mT + ours.variance * torch.eye(6, dtype=torch.float64)
    close(covariance, scale * torch.from_numpy(peer.get_covariance()))


def test_directions_below_a_given_variance_are_collapsed():
    eigenvalues = torch.linalg.svdvals(DATA - DATA.mean(0)).square() / len(DATA)
    level = ((eigenvalues[1] + eigenvalues[2]) / 2).item()
    model = fit_linear_vae(DATA, 4, variance=level)
    assert (model.loading.norm(dim=0) > 0).tolist() == [True, True, False, False]
    nearby = [LinearVAE(model.loading + 0.05 * normal(6, 4, seed=s), model.offset, level) for s in range(5)]
    best = model.log_prob(DATA).mean()
    assert all(other.log_prob(DATA).mean() < best for other in nearby)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"latents must be in 1 … 5"):
        fit_linear_vae(DATA, 6)
    for variance in (0.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"above 0 and finite, not {variance}"):
            fit_linear_vae(DATA, 2, variance=variance)
    for data in (DATA[:0], DATA * torch.nan):
        with pytest.raises(ValueError, match="no rows, or holds values that are not finite"):
            fit_linear_vae(data, 2)


@pytest.mark.usefixtures("unchecked")
def test_a_model_and_points_of_other_shapes_are_refused():
    for loading, offset in ((torch.ones(1, 3), torch.zeros(3)), (torch.ones(3), torch.zeros(3))):
        with pytest.raises(
            ValueError, match=r"W must be \(D, d\) and the offset b \(D,\), not .* transpose W"
        ):
            LinearVAE(loading, offset, 1.0)
    with pytest.raises(ValueError, match=r"above 0 and finite, not -1\.0"):
        LinearVAE(torch.ones(3, 1), torch.zeros(3), -1.0)
    model = some_model()
    mean, covariance = torch.zeros(2, 3).double(), torch.eye(3).double()
    for x in (torch.zeros(2, 1).double(), torch.zeros(5).double()):
        for ask in (model.log_prob, model.posterior, lambda x: model.elbo(x, mean, covariance)):
            with pytest.raises(ValueError, match=r"x must be \(N, 5\), a row for each point, not"):
                ask(x)


def test_data_may_be_whole_numbers_in_an_array_as_for_a_mixture():
    whole = (10 * DATA).round()
    close(fit_linear_vae(whole.int().numpy(), 2).loading, fit_linear_vae(whole.float(), 2).loading)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_data_that_the_latents_explain_without_rest_have_no_best_fit(dtype):
    flat = (normal(50, 2) @ normal(2, 6, seed=1)).to(dtype)
    with pytest.raises(ValueError, match="take fewer latents, or give a variance"):
        fit_linear_vae(flat, 2)
    assert fit_linear_vae(flat, 1).variance > 0
    assert fit_linear_vae(flat, 2, variance=0.1).log_prob(flat).isfinite().all()


def test_samples_of_the_model_have_its_likelihood_in_any_basis():
    model = some_model(2)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=gen(), dtype=torch.float64)).Q
    turned = LinearVAE(model.loading @ turn, model.offset, model.variance)
    x = normal(7, 5)
    close(model.log_prob(x), turned.log_prob(x))
