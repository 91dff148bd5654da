import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from gdmcourse.probability import GaussianMixture, gaussian_log_prob
from tests.probability.strategies import mixtures

close = torch.testing.assert_close
alpha_bars = st.sampled_from([0.0, 1e-4, 0.3, 0.9, 0.9999, 1.0])


def with_torch(mixture: GaussianMixture) -> MixtureSameFamily:
    parts = MultivariateNormal(mixture.means, mixture.covariances)
    return MixtureSameFamily(Categorical(mixture.weights), parts)


def points(mixture: GaussianMixture, n: int = 7) -> torch.Tensor:
    return mixture.sample(n, torch.Generator().manual_seed(1))


# Two components in one dimension, wide and narrow: small enough to integrate numerically.
LINE = GaussianMixture(
    torch.tensor([0.3, 0.7]).double(),
    torch.tensor([[-1.0], [1.5]]).double(),
    torch.tensor([[[0.2]], [[0.6]]]).double(),
)
GRID = torch.linspace(-12, 12, 20001, dtype=torch.float64)


@given(mixtures())
def test_log_prob_agrees_with_torch_distributions(mixture):
    x = points(mixture)
    close(mixture.log_prob(x), with_torch(mixture).log_prob(x))


@pytest.mark.equation("eq-mixture-posterior")
@given(mixtures())
def test_responsibilities_agree_with_scikit_learn(mixture):
    x = points(mixture)
    theirs = SklearnMixture(len(mixture.weights))
    theirs.weights_, theirs.means_ = mixture.weights.numpy(), mixture.means.numpy()
    theirs.precisions_cholesky_ = torch.linalg.inv(torch.linalg.cholesky(mixture.covariances)).mT.numpy()
    close(mixture.responsibilities(x), torch.as_tensor(theirs.predict_proba(x.numpy())), rtol=1e-6, atol=1e-9)


@pytest.mark.equation("eq-mixture-posterior")
def test_responsibilities_are_the_share_of_samples_of_each_component(generator):
    x, labels = LINE.sample_with_labels(2_000_000, generator)
    near = labels[(x[:, 0] - 0.1).abs() < 0.005]
    expected = LINE.responsibilities(torch.tensor([[0.1]]).double())[0, 1].item()
    error = math.sqrt(expected * (1 - expected) / len(near))
    assert near.double().mean().item() == pytest.approx(expected, abs=4 * error)


@pytest.mark.equation("eq-mixture-score")
@given(mixtures())
def test_score_is_the_gradient_of_log_prob(mixture):
    x = points(mixture).requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_prob(x).sum(), x)
    close(mixture.score(x.detach()), gradient)


@pytest.mark.equation("eq-mixture-moments")
@given(mixtures())
def test_moments_agree_with_torch_distributions(mixture):
    theirs = with_torch(mixture)
    close(mixture.mean(), theirs.mean)
    close(mixture.covariance().diagonal(), theirs.variance)


@pytest.mark.equation("eq-mixture-moments")
def test_covariance_agrees_with_samples(generator):
    correlated = torch.tensor([[[1.0, 0.5], [0.5, 0.5]], [[0.3, -0.1], [-0.1, 0.4]]])
    mixture = GaussianMixture(torch.tensor([0.4, 0.6]), torch.tensor([[0.0, 2.0], [1.0, -1.0]]), correlated)
    x = mixture.sample(400_000, generator)
    close(x.T.cov(), mixture.covariance(), rtol=0, atol=0.02)


def test_samples_follow_the_law(generator):
    """Share of samples left of each point against the exact distribution function."""
    x = LINE.sample(200_000, generator)[:, 0].sort().values
    cdf = (
        LINE.weights
        * torch.distributions.Normal(LINE.means[:, 0], LINE.covariances[:, 0, 0].sqrt()).cdf(x[:, None])
    ).sum(1)
    empirical = torch.arange(1, len(x) + 1) / len(x)
    assert (cdf - empirical).abs().max() < 1.95 / math.sqrt(len(x))


def test_the_same_seed_draws_the_same_points():
    first, second = (LINE.sample(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.equation("eq-diffused-mixture")
@given(alpha_bar=st.sampled_from([0.0, 0.3, 0.9]), sigma=st.sampled_from([0.5, 1.0]))
def test_diffused_density_agrees_with_the_integral_over_x0(alpha_bar, sigma):
    """p(x_t) = ∫ p(x₀) N(x_t; √ᾱ x₀, (1−ᾱ) σ²) dx₀."""
    at = torch.linspace(-3, 3, 9, dtype=torch.float64)
    kernel = torch.distributions.Normal(math.sqrt(alpha_bar) * GRID, sigma * math.sqrt(1 - alpha_bar))
    joint = kernel.log_prob(at[:, None]) + LINE.log_prob_1d(GRID)
    close(LINE.diffused(alpha_bar, sigma).log_prob_1d(at), torch.trapezoid(joint.exp(), GRID).log())


def test_diffusion_ends_where_it_should():
    clean, noise = LINE.diffused(1.0), LINE.diffused(0.0, sigma=2.0)
    at = torch.linspace(-3, 3, 9, dtype=torch.float64)
    close(clean.log_prob_1d(at), LINE.log_prob_1d(at))
    close(noise.log_prob_1d(at), torch.distributions.Normal(0.0, 2.0).log_prob(at))


@pytest.mark.equation("eq-mixture-denoiser")
@given(alpha_bar=st.sampled_from([1e-4, 0.3, 0.9]))
def test_denoiser_agrees_with_the_integral_over_the_posterior(alpha_bar):
    """E[x₀ given x_t] = ∫ x₀ p(x₀) p(x_t given x₀) dx₀ / p(x_t)."""
    at = torch.linspace(-3, 3, 9, dtype=torch.float64)
    kernel = torch.distributions.Normal(math.sqrt(alpha_bar) * GRID, math.sqrt(1 - alpha_bar))
    posterior = (kernel.log_prob(at[:, None]) + LINE.log_prob_1d(GRID)).softmax(1)
    close(LINE.denoise(at[:, None], alpha_bar)[:, 0], posterior @ GRID)


@pytest.mark.equation("eq-mixture-denoiser")
@given(mixtures(), st.sampled_from([1e-4, 0.3, 0.9]))
def test_denoiser_agrees_with_tweedie(mixture, alpha_bar):
    """E[x₀ given x_t] = (x_t + (1−ᾱ) ∇ log p(x_t)) / √ᾱ, by the gradient of the log density alone."""
    x = points(mixture.diffused(alpha_bar)).requires_grad_()
    (score,) = torch.autograd.grad(mixture.diffused(alpha_bar).log_prob(x).sum(), x)
    tweedie = (x.detach() + (1 - alpha_bar) * score) / math.sqrt(alpha_bar)
    close(mixture.denoise(x.detach(), alpha_bar), tweedie, rtol=1e-6, atol=1e-8)


@pytest.mark.equation("eq-mixture-noise")
@given(mixtures(), alpha_bars)
def test_noise_and_denoised_point_add_up_to_x_t(mixture, alpha_bar):
    x = points(mixture.diffused(alpha_bar))
    parts = math.sqrt(alpha_bar) * mixture.denoise(x, alpha_bar)
    close(parts + math.sqrt(1 - alpha_bar) * mixture.noise(x, alpha_bar), x)


@pytest.mark.equation("eq-mixture-noise", "eq-best-guess")
def test_the_error_of_any_guess_is_that_of_the_mean_and_its_distance_to_it():
    """E[ε given x_t] and all expectations by quadrature over (ε, x_t), for guesses near the best and far."""
    eps, x_t = (torch.linspace(-end, end, 1201, dtype=torch.float64) for end in (8.0, 7.0))
    clean = (x_t[:, None] - math.sqrt(0.4) * eps) / math.sqrt(0.6)
    weight = (LINE.log_prob_1d(clean.flatten()).reshape(1201, 1201) - eps**2 / 2).exp()
    weight = weight / weight.sum()
    mean = (weight @ eps) / weight.sum(1)
    best = LINE.noise(x_t[:, None], 0.6)[:, 0]
    seen = weight.sum(1) > 1e-9
    close(best[seen], mean[seen], rtol=1e-6, atol=1e-6)

    def error(guess):
        return (weight * (eps - guess[:, None]).square()).sum()

    for guess in (1.02 * best, x_t / 2, torch.sin(3 * x_t), torch.zeros_like(x_t)):
        close(error(guess), error(best) + (weight.sum(1) * (best - guess).square()).sum(), rtol=1e-6, atol=0)


@given(mixtures())
def test_clean_points_denoise_to_themselves(mixture):
    x = points(mixture)
    close(mixture.denoise(x, 1.0), x)
    close(mixture.noise(x, 1.0), torch.zeros_like(x))


def test_given_a_class_is_bayes_rule():
    mixture = GaussianMixture.isotropic(torch.tensor([[0.0], [1.0], [4.0]]).double(), 0.5)
    x = torch.linspace(-2, 6, 9, dtype=torch.float64)[:, None]
    share = mixture.responsibilities(x)[:, [0, 2]].sum(1)
    close(mixture.given([0, 2]).log_prob(x), mixture.log_prob(x) + share.log() - math.log(2 / 3))
    close(mixture.given(1).log_prob(x), gaussian_log_prob(x, mixture.means[1], mixture.covariances[1]))


def test_stays_finite_where_probabilities_underflow():
    mixture = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]), 0.01)
    far = torch.tensor([[100.0], [-100.0]])
    assert mixture.log_prob(far).exp().sum() == 0  # outside log space nothing is left
    assert mixture.log_prob(far).isfinite().all()
    close(mixture.responsibilities(far), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    close(mixture.score(far), (torch.tensor([[1.0], [-1.0]]) - far) / 1e-4)


def test_a_component_of_weight_zero_does_not_count():
    mixture = GaussianMixture.isotropic(torch.tensor([[0.0], [9.0]]), 1.0, torch.tensor([1.0, 0.0]))
    x = torch.tensor([[8.0]])
    assert mixture.responsibilities(x)[0, 1] == 0
    close(mixture.score(x), -x)


@settings(max_examples=25)
@given(mixtures())
def test_float32_agrees_with_float64(mixture):
    single = GaussianMixture(*(v.float() for v in (mixture.weights, mixture.means, mixture.covariances)))
    x = points(mixture)
    close(single.log_prob(x.float()).double(), mixture.log_prob(x), rtol=1e-3, atol=1e-3)
    close(single.denoise(x.float(), 0.5).double(), mixture.denoise(x, 0.5), rtol=1e-2, atol=1e-2)


# -- What is refused -------------------------------------------------------------------------------------

TWO = {"weights": torch.ones(2) / 2, "means": torch.zeros(2, 2), "covariances": torch.eye(2).repeat(2, 1, 1)}


def changed(**parts):
    return TWO | parts


ASYMMETRIC = torch.stack([torch.eye(2), torch.tensor([[1.0, 0.5], [0.0, 1.0]])])
INDEFINITE = torch.stack([torch.eye(2), torch.tensor([[1.0, 2.0], [2.0, 1.0]])])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (changed(weights=torch.tensor([0.5, 0.4])), "weights must sum to one, but sum to 0.9"),
        (changed(weights=torch.tensor([1.5, -0.5])), "weights must be at least 0"),
        (changed(weights=torch.ones(3) / 3), r"weights must be \(K,\) and means \(K, D\)"),
        (changed(means=torch.tensor([[0.0, math.nan], [0.0, 0.0]])), "means must be finite"),
        (changed(covariances=torch.eye(2)), r"covariances must be \(2, 2, 2\), but are \(2, 2\)"),
        (changed(covariances=ASYMMETRIC), "covariance of component 1 is not symmetric"),
        (changed(covariances=INDEFINITE), "covariance of component 1 is not positive definite .* -1"),
        (
            changed(covariances=INDEFINITE * math.nan),
            "covariance of component 0 has entries that are not finite",
        ),
        (changed(means=torch.zeros(2, 2).double()), "share one float type"),
    ],
)
def test_a_bad_mixture_is_refused_with_its_reason(parts, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**parts)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.log_prob(torch.zeros(3, 5)), r"points must be \(N, 2\), but are \(3, 5\)"),
        (lambda m: m.score(torch.zeros(3, 2).double()), r"use x.to\(mixture.means\)"),
        (lambda m: m.diffused(1.5), r"alpha_bar must lie in \[0, 1\]"),
        (lambda m: m.diffused(0.5, sigma=0.0), "sigma must be positive"),
        (lambda m: m.given(2), "components must be different numbers in 0 … 1"),
        (lambda m: m.given([]), "components must be different numbers"),
        (lambda m: GaussianMixture.isotropic(m.means, 0.0), "std must be positive"),
        (
            lambda m: GaussianMixture.isotropic(m.means, 1.0, torch.tensor([1.0, 0.0])).given(1),
            "weight zero",
        ),
    ],
)
def test_a_bad_call_is_refused_with_its_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call(GaussianMixture(**TWO))
