"""EM against scikit-learn, brute force, automatic differentiation, and its own guarantees."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture

from gdmcourse.likelihood import (
    DegenerateComponent,
    bic,
    e_step,
    fit_gmm,
    kmeans_plus_plus,
    m_step,
    parameter_count,
)
from gdmcourse.probability import GaussianMixture
from tests.oracles import gen

KINDS = ["full", "diag", "spherical"]


def random_mixture(seed: int, k: int = 3, d: int = 2) -> GaussianMixture:
    g = gen(seed)
    factors = torch.randn(k, d, d, generator=g, dtype=torch.float64)
    covariances = factors @ factors.mT / d + 0.2 * torch.eye(d, dtype=torch.float64)
    weights = torch.rand(k, generator=g, dtype=torch.float64) + 0.2
    return GaussianMixture(
        weights / weights.sum(), 2 * torch.randn(k, d, generator=g, dtype=torch.float64), covariances
    )


def sample(seed: int, n: int = 200, k: int = 3, d: int = 2) -> torch.Tensor:
    return random_mixture(seed, k, d).sample(n, gen(seed + 1))


def brute_joint(x: torch.Tensor, mixture: GaussianMixture) -> np.ndarray:
    """π_k N(x_n; μ_k, Σ_k) by scipy, one component at a time."""
    columns = [
        w.item() * multivariate_normal(m.numpy(), c.numpy()).pdf(x.numpy()).reshape(len(x))
        for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    ]
    return np.stack(columns, axis=1)


def expected_complete(x, responsibilities, weights, means, covariances) -> torch.Tensor:
    """Q(θ) = Σ_nk r_nk [log π_k + log N(x_n; μ_k, Σ_k)], differentiable, by torch.distributions."""
    components = torch.distributions.MultivariateNormal(means, covariances)
    return (responsibilities * (weights.log() + components.log_prob(x[:, None]))).sum()


# --- the E-step ---------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gmm-density")
@pytest.mark.equation("eq-gmm-responsibilities")
@pytest.mark.parametrize("seed", range(5))
def test_e_step_is_bayes_rule_by_brute_force(seed):
    mixture, x = random_mixture(seed, k=4, d=3), sample(seed + 50, n=30, d=3)
    joint = brute_joint(x, mixture)
    log_responsibilities, log_density = e_step(x, mixture)
    np.testing.assert_allclose(log_density.exp(), joint.sum(1), rtol=1e-10)
    np.testing.assert_allclose(log_responsibilities.exp(), joint / joint.sum(1, keepdims=True), rtol=1e-9)


@pytest.mark.equation("eq-gmm-density")
def test_the_density_integrates_to_one_and_is_the_frequency_of_samples():
    mixture = random_mixture(3)
    axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    density = e_step(grid, mixture)[1].exp()
    cell = (24 / 600) ** 2
    assert float(density.sum() * cell) == pytest.approx(1.0, abs=1e-6)
    # The mass of a half plane, by the grid and by drawing z first and x given z.
    mass = float(density[grid[:, 0] > 0.5].sum() * cell)
    drawn = mixture.sample(40_000, gen(0))
    assert float((drawn[:, 0] > 0.5).double().mean()) == pytest.approx(mass, abs=0.02)


def test_e_step_of_far_points_agrees_with_scikit_learn():
    """Where densities underflow and brute force can say nothing; both work in log space, by other ways."""
    mixture, x = random_mixture(1), 50 * sample(2)
    peer = SklearnMixture(3)
    peer.weights_, peer.means_ = mixture.weights.numpy(), mixture.means.numpy()
    peer.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(mixture.covariances.numpy()))
    log_responsibilities, log_density = e_step(x, mixture)
    assert log_density.min() < -1000
    np.testing.assert_allclose(log_density, peer.score_samples(x.numpy()), rtol=1e-10)
    np.testing.assert_allclose(log_responsibilities.exp(), peer.predict_proba(x.numpy()), rtol=0, atol=1e-9)


def test_e_step_over_several_blocks_of_rows_equals_one_by_one():
    mixture, x = random_mixture(1), sample(2, n=2500)
    together = e_step(x, mixture)[0][::250]
    alone = torch.cat([e_step(row[None], mixture)[0] for row in x[::250]])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-10)


@pytest.mark.equation("eq-gmm-logsumexp")
def test_a_far_point_has_responsibilities_only_in_log_space():
    centres = torch.tensor([[0.0], [1.0]])
    mixture, x = GaussianMixture.isotropic(centres, 0.1), torch.tensor([[20.0]])
    assert brute_joint(x, mixture).sum() == 0.0  # exp(-18,050) is below the smallest float: 0/0
    log_responsibilities, log_density = e_step(x, mixture)
    # (20² − 19²) / (2·0.1²) = 1,950 nats between the two components; the nearer one takes it all.
    assert float(log_responsibilities[0, 0]) == pytest.approx(-1950, rel=1e-4)
    assert float(log_responsibilities[0, 1]) == 0.0
    assert float(log_density) == pytest.approx(
        math.log(0.5) - 0.5 * math.log(2 * math.pi * 0.01) - 18_050, rel=1e-5
    )
    # As far from both: each has half of it, and the sum is twice what either brings.
    both = GaussianMixture.isotropic(torch.tensor([[0.0, 0.0], [1.0, 0.0]]).double(), 0.1)
    log_responsibilities, log_density = e_step(torch.tensor([[0.5, 20.0]]).double(), both)
    assert log_responsibilities[0].tolist() == pytest.approx([math.log(0.5)] * 2, abs=1e-9)
    assert float(log_density) == pytest.approx(-math.log(2 * math.pi * 0.01) - 400.25 / 0.02, abs=1e-8)


@pytest.mark.equation("eq-gmm-logsumexp")
@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=6),
    st.floats(-1e4, 1e4),
)
@settings(deadline=None)
def test_logsumexp_may_be_shifted_by_any_number(values, shift):
    a = torch.tensor(values, dtype=torch.float64)
    naive = math.log(math.fsum(math.exp(v) for v in values))
    shifted = shift + torch.logsumexp(a - shift, 0).item()
    assert shifted == pytest.approx(naive, abs=1e-10 * (1 + abs(shift)))


# --- the M-step ---------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gmm-m-means")
@pytest.mark.equation("eq-gmm-m-covariances")
@pytest.mark.equation("eq-gmm-m-weights")
@pytest.mark.parametrize("seed", range(3))
def test_m_step_is_a_stationary_point_by_autograd(seed):
    x = sample(seed)
    responsibilities = e_step(x, random_mixture(seed + 9))[0].exp()
    best = m_step(x, responsibilities, floor=0.0)
    logits = best.weights.log().requires_grad_()
    means = best.means.clone().requires_grad_()
    covariances = best.covariances.clone().requires_grad_()
    # The softmax keeps Σ π_k = 1, so that its gradient vanishes exactly where Lagrange's condition holds.
    value = expected_complete(x, responsibilities, torch.softmax(logits, 0), means, covariances)
    for gradient in torch.autograd.grad(value, [logits, means, covariances]):
        assert gradient.abs().max() < 1e-8


@pytest.mark.equation("eq-gmm-m-means")
@pytest.mark.equation("eq-gmm-m-covariances")
@pytest.mark.equation("eq-gmm-m-weights")
@given(seed=st.integers(0, 1000), size=st.floats(1e-4, 1.0))
@settings(deadline=None, max_examples=50)
def test_no_other_parameters_do_better_in_the_m_step(seed, size):
    x = sample(seed, n=60)
    responsibilities = e_step(x, random_mixture(seed + 1))[0].exp()
    try:
        best = m_step(x, responsibilities, floor=0.0)
    except DegenerateComponent:
        assume(False)
    g = gen(seed)
    tilt = size * torch.randn(best.covariances.shape, generator=g, dtype=torch.float64)
    other = (
        torch.softmax(best.weights.log() + size * torch.randn(3, generator=g, dtype=torch.float64), 0),
        best.means + size * torch.randn(best.means.shape, generator=g, dtype=torch.float64),
        best.covariances + tilt @ tilt.mT,
    )
    at_best = expected_complete(x, responsibilities, best.weights, best.means, best.covariances)
    assert at_best > expected_complete(x, responsibilities, *other)


def test_m_step_with_hard_assignments_is_the_mean_and_covariance_of_each_group():
    x = sample(5, n=40)
    label = torch.arange(40) % 3
    result = m_step(x, torch.nn.functional.one_hot(label, 3).double(), floor=0.0)
    for k in range(3):
        own = x[label == k].numpy()
        assert result.weights[k].item() == pytest.approx(len(own) / 40)
        np.testing.assert_allclose(result.means[k], own.mean(0), rtol=1e-12)
        np.testing.assert_allclose(result.covariances[k], np.cov(own.T, bias=True), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_m_step_of_each_kind_is_stationary_within_its_family(kind):
    x = sample(4, d=3)
    responsibilities = e_step(x, random_mixture(7, d=3))[0].exp()
    best = m_step(x, responsibilities, covariance=kind, floor=0.0)
    free = {
        "full": best.covariances.clone(),
        "diag": best.covariances.diagonal(dim1=-2, dim2=-1).clone(),
        "spherical": best.covariances[:, 0, 0].clone(),
    }[kind].requires_grad_()
    eye = torch.eye(3, dtype=torch.float64)
    covariances = {
        "full": lambda: free,
        "diag": lambda: torch.diag_embed(free),
        "spherical": lambda: free[:, None, None] * eye,
    }[kind]()
    value = expected_complete(x, responsibilities, best.weights, best.means, covariances)
    (gradient,) = torch.autograd.grad(value, free)
    assert gradient.abs().max() < 1e-8


@pytest.mark.equation("eq-gmm-moments")
@pytest.mark.parametrize("seed", range(3))
def test_after_an_m_step_the_mixture_has_the_mean_and_covariance_of_the_data(seed):
    x = sample(seed, n=77, d=3)
    mixture = m_step(x, e_step(x, random_mixture(seed + 4, k=4, d=3))[0].exp(), floor=0.0)
    np.testing.assert_allclose(mixture.mean(), x.numpy().mean(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mixture.covariance(), np.cov(x.numpy().T, bias=True), rtol=1e-9, atol=1e-12)


# --- EM -----------------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gmm-monotone")
@given(seed=st.integers(0, 10_000), k=st.integers(1, 4), d=st.integers(1, 3), n=st.integers(40, 120))
@settings(deadline=None, max_examples=40)
def test_the_likelihood_never_falls(seed, k, d, n):
    x = sample(seed, n=n, d=d)
    try:
        fit = fit_gmm(x, k, iterations=30, tol=0.0, floor=0.0, generator=gen(seed))
    except DegenerateComponent:
        assume(False)
    history = torch.tensor(fit.log_likelihood, dtype=torch.float64)
    assert (history.diff() > -1e-10).all()


@pytest.mark.equation("eq-gmm-monotone")
def test_each_step_gains_at_least_the_gain_of_q_and_the_kl_gap():
    x, old = sample(0), random_mixture(8)
    log_r, log_density = e_step(x, old)
    new = m_step(x, log_r.exp(), floor=0.0)
    new_log_r, new_log_density = e_step(x, new)
    gain = (new_log_density - log_density).sum()
    q_gain = expected_complete(x, log_r.exp(), new.weights, new.means, new.covariances) - expected_complete(
        x, log_r.exp(), old.weights, old.means, old.covariances
    )
    gap = (log_r.exp() * (log_r - new_log_r)).sum()
    assert q_gain > 0
    assert gap > 0
    torch.testing.assert_close(gain, q_gain + gap)


@pytest.mark.parametrize("kind", KINDS)
def test_same_start_gives_scikit_learns_likelihood(kind):
    x = sample(11, n=500, k=4, d=3)
    start = GaussianMixture.isotropic(x[:4], 1.5)
    precisions = {
        "full": np.linalg.inv(start.covariances.numpy()),
        "diag": np.full((4, 3), 1 / 1.5**2),
        "spherical": np.full(4, 1 / 1.5**2),
    }[kind]
    peer = SklearnMixture(
        4,
        covariance_type=kind,
        tol=0.0,
        max_iter=25,
        reg_covar=1e-6,
        weights_init=start.weights.numpy(),
        means_init=start.means.numpy(),
        precisions_init=precisions,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 25 steps are asked for, not convergence
        peer.fit(x.numpy())
    ours = fit_gmm(x, 4, covariance=kind, init=start, iterations=25, tol=0.0)
    assert len(ours.log_likelihood) == 26
    assert not ours.converged
    assert ours.log_likelihood[-1] == pytest.approx(peer.score(x.numpy()), rel=1e-6)
    assert bic(x, ours.mixture, kind) == pytest.approx(peer.bic(x.numpy()), rel=1e-6)
    np.testing.assert_allclose(ours.mixture.means, peer.means_, rtol=1e-6)


@pytest.mark.equation("eq-gmm-gradient")
def test_a_fixed_point_of_em_is_a_stationary_point_of_the_likelihood():
    x = sample(3, n=300)
    fit = fit_gmm(x, 3, iterations=2000, tol=1e-15, floor=0.0, generator=gen(0))
    means = fit.mixture.means.clone().requires_grad_()
    covariances = fit.mixture.covariances.clone().requires_grad_()
    logits = fit.mixture.weights.log().requires_grad_()
    components = torch.distributions.MultivariateNormal(means, covariances)
    log_joint = torch.log_softmax(logits, 0) + components.log_prob(x[:, None])
    gradients = torch.autograd.grad(torch.logsumexp(log_joint, 1).mean(), [means, covariances, logits])
    assert max(g.abs().max() for g in gradients) < 1e-5


def test_em_finds_well_separated_components():
    truth = GaussianMixture.isotropic(torch.tensor([[-4.0, 0.0], [4.0, 0.0], [0.0, 6.0]]), 0.7)
    fit = fit_gmm(truth.sample(3000, gen(1)), 3, generator=gen(2))
    assert fit.converged
    nearest = torch.cdist(truth.means, fit.mixture.means).amin(1)
    assert nearest.max() < 0.1
    assert (fit.mixture.weights - 1 / 3).abs().max() < 0.03


def test_the_same_generator_gives_the_same_fit():
    x = sample(1).float()
    first, second = (fit_gmm(x, 3, generator=gen(5)) for _ in range(2))
    assert first.log_likelihood == second.log_likelihood
    assert torch.equal(first.mixture.means, second.mixture.means)


# --- what goes wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_float32_variances_far_from_the_origin_stay_positive(kind):
    x = 1000 + 0.1 * torch.randn(4000, 2, generator=gen(0))
    naive = x.square().mean(0) - x.mean(0).square()
    assert ((naive - 0.01).abs() > 0.01).any()  # the textbook shortcut has lost every digit
    variances = m_step(x, torch.ones(4000, 1), covariance=kind, floor=0.0).covariances[0].diagonal()
    torch.testing.assert_close(variances, torch.full((2,), 0.01), rtol=0.05, atol=0.0)
    fit = fit_gmm(x, 2, covariance=kind, iterations=20, generator=gen(1))
    assert (fit.mixture.covariances.diagonal(dim1=-2, dim2=-1) > 0).all()
    assert all(map(math.isfinite, fit.log_likelihood))


def test_an_empty_component_is_named():
    x = sample(0, n=20)
    responsibilities = torch.zeros(20, 3, dtype=torch.float64)
    responsibilities[:, [0, 2]] = 0.5
    with pytest.raises(DegenerateComponent, match=r"component 1 holds no points; use fewer") as raised:
        m_step(x, responsibilities)
    assert raised.value.component == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_component_that_collapses_on_a_point_is_named_and_the_floor_prevents_it(kind):
    x = torch.cat([sample(0, n=60), torch.full((1, 2), 50.0, dtype=torch.float64)])
    start = GaussianMixture.isotropic(torch.tensor([[0.0, 0.0], [50.0, 50.0]], dtype=torch.float64), 2.0)
    with pytest.raises(
        DegenerateComponent, match=r"component 1 has no volume \(it holds 1 points\)"
    ) as raised:
        fit_gmm(x, 2, covariance=kind, init=start, floor=0.0)
    assert raised.value.component == 1
    fit = fit_gmm(x, 2, covariance=kind, init=start, floor=1e-3)
    torch.testing.assert_close(fit.mixture.covariances[1], 1e-3 * torch.eye(2, dtype=torch.float64))
    assert fit.mixture.weights[1].item() == pytest.approx(1 / 61)


@pytest.mark.equation("eq-gmm-rank")
@pytest.mark.parametrize("n", [2, 4, 5, 6, 9])
def test_a_component_of_n_points_has_a_covariance_of_rank_at_most_n_minus_one(n):
    """Of 20 points the first component has a share in n only, and a different one in each."""
    x = torch.randn(20, 5, generator=gen(n), dtype=torch.float64)
    share = torch.zeros(20, dtype=torch.float64)
    share[:n] = 0.1 + 0.8 * torch.rand(n, generator=gen(n + 1), dtype=torch.float64)
    r = torch.stack([share, 1 - share], 1)
    floored = m_step(x, r, floor=1e-3).covariances[0] - 1e-3 * torch.eye(5, dtype=torch.float64)
    eigenvalues = torch.linalg.eigvalsh(floored)
    assert int((eigenvalues > 1e-10).sum()) == min(n - 1, 5)
    if n <= 5:
        with pytest.raises(DegenerateComponent, match="component 0 has no volume"):
            m_step(x, r, floor=0.0)
    else:
        m_step(x, r, floor=0.0)


def test_features_of_very_different_units_are_not_called_degenerate():
    x = sample(0) * torch.tensor([1e-9, 1e6], dtype=torch.float64)
    scaled = m_step(x, torch.ones(200, 1, dtype=torch.float64), floor=0.0)
    assert scaled.covariances.shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("x", "k", "said"),
    [
        (torch.randn(5, 2), 6, "5 points can carry 1 to 5 components"),
        (torch.randn(5, 2), 0, "5 points can carry 1 to 5 components"),
        (torch.tensor([[0.0], [math.nan]]), 1, "not finite"),
        (torch.zeros(9, 2), 2, "x has 1 different points"),
        (torch.zeros(0, 2), 1, "x has no rows"),
    ],
)
def test_bad_input_is_refused(x, k, said):
    with pytest.raises(ValueError, match=said):
        fit_gmm(x, k)


def test_a_number_of_components_may_come_from_numpy(unchecked):
    """As it does in `for k in np.arange(1, 6)`."""
    fits = [fit_gmm(sample(0), k, generator=gen(0)) for k in (2, np.int64(2))]
    assert torch.equal(*(fit.mixture.means for fit in fits))
    with pytest.raises(ValueError, match=r"k is 2\.0, but 200 points"):
        fit_gmm(sample(0), 2.0)


@pytest.mark.parametrize(
    ("x", "k"), [(torch.zeros(0, 2), 1), (torch.randn(5, 2), 0), (torch.randn(5, 2), -1)]
)
def test_no_centre_can_be_chosen_of_none(x, k):
    with pytest.raises(ValueError, match=rf"not {k} of {len(x)}"):
        kmeans_plus_plus(x, k, gen(0))


@pytest.mark.usefixtures("unchecked")
def test_a_kind_of_covariance_that_there_is_not_is_refused_wherever_it_is_said():
    x, law = sample(0), random_mixture(0)
    for ask in (
        lambda kind: m_step(x, e_step(x, law)[0].exp(), covariance=kind),
        lambda kind: parameter_count(3, 2, kind),
        lambda kind: bic(x, law, kind),
    ):
        with pytest.raises(ValueError, match="covariance is 'diagonal'; it must be one of full, diag"):
            ask("diagonal")


@pytest.mark.parametrize("x", [torch.zeros(0, 2), torch.tensor([[0.0, math.nan]])])
def test_no_criterion_is_said_of_points_that_there_are_not(x):
    with pytest.raises(ValueError, match="no rows, or holds values that are not finite"):
        bic(x, random_mixture(0))


def test_a_start_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"init has means of shape \(3, 2\), expected \(2, 2\)"):
        fit_gmm(sample(0), 2, init=random_mixture(0))


def test_kmeans_plus_plus_takes_different_points_and_prefers_far_ones():
    x = torch.cat([torch.zeros(50, 2), torch.full((1, 2), 100.0), torch.full((1, 2), -100.0)])
    centres = kmeans_plus_plus(x, 3, gen(0))
    assert {tuple(c) for c in centres.tolist()} == {(0.0, 0.0), (100.0, 100.0), (-100.0, -100.0)}


# --- counting -----------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-gmm-parameters")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("k", "d"), [(1, 1), (2, 3), (5, 4)])
def test_parameters_are_counted_as_the_rank_of_the_map_from_parameters_to_mixtures(kind, k, d):
    """Perturb every number of an unconstrained description; the rank of the Jacobian counts the free ones."""
    lower = torch.tril_indices(d, d)
    size = {"full": lower.shape[1], "diag": d, "spherical": 1}[kind]

    def mixture_numbers(theta: torch.Tensor) -> torch.Tensor:
        logits, means, shape = theta.split([k, k * d, k * size])
        if kind == "full":
            factor = torch.zeros(k, d, d, dtype=theta.dtype)
            factor = factor.index_put(
                (torch.arange(k)[:, None], lower[0][None], lower[1][None]), shape.view(k, size)
            )
            covariances = factor @ factor.mT
        else:
            covariances = torch.diag_embed(shape.view(k, size).square().expand(k, d))
        return torch.cat([torch.softmax(logits, 0), means, covariances.flatten()])

    theta = torch.randn(k + k * d + k * size, generator=gen(1), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(mixture_numbers, theta)
    assert parameter_count(k, d, kind) == int(torch.linalg.matrix_rank(jacobian))


# --- what a reader's points come as -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: x.requires_grad_(),
        lambda x: x.numpy()[::-1][::-1],
        lambda x: x.float(),
        lambda x: x.half(),
        lambda x: x.bfloat16(),
    ],
    ids=["array", "list", "with gradients", "strided array", "float32", "float16", "bfloat16"],
)
def test_points_in_any_form_are_fitted_alike(form):
    x = sample(2, n=400)
    start = GaussianMixture.isotropic(x[:3].clone(), 1.5)
    wanted, got = fit_gmm(x, 3, init=start), fit_gmm(form(x.clone()), 3, init=start)
    np.testing.assert_allclose(got.mixture.means, wanted.mixture.means, atol=0.1)
    assert got.log_likelihood[-1] == pytest.approx(wanted.log_likelihood[-1], abs=0.01)
    assert bic(form(x.clone()), got.mixture) == pytest.approx(bic(x, wanted.mixture), rel=0.01)


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_are_fitted_in_float32(kind):
    x = torch.tensor([[0, 1], [1, 1], [0, 0], [1, 0]] * 5).to(kind)
    fitted = fit_gmm(x, 1).mixture
    assert fitted.means.dtype == torch.float32
    np.testing.assert_allclose(fitted.means, [[0.5, 0.5]])
    np.testing.assert_allclose(fitted.covariances[0], 0.25 * np.eye(2), atol=1e-5)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.randn(9), r"shape is \(9,\); write x\[:, None\]"),
        (torch.randn(9, 1, 8, 8), r"shape is \(9, 1, 8, 8\); flatten"),
        ([[1.0, 2.0], [3.0]], "no table of numbers"),
        ([["a", "b"]], "no table of numbers"),
        (torch.randn(9, 2, dtype=torch.complex64), "complex"),
        (torch.randn(9, 0), r"shape is \(9, 0\)"),
        (np.array([[0.0], [np.inf]]), "not finite"),
    ],
    ids=["on a line", "images", "ragged", "words", "complex", "no features", "infinite"],
)
def test_what_is_no_table_of_points_is_refused_by_a_sentence(x, said):
    with pytest.raises(ValueError, match=said):
        fit_gmm(x, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"covariance": "tied"}, "covariance is 'tied'; it must be one of full, diag, spherical"),
        ({"n_init": 0}, "n_init is 0"),
        ({"n_init": 2, "init": random_mixture(0)}, "n_init is 2; it must be at least 1, and 1 if init"),
        ({"iterations": -1}, "at least 0, not -1"),
        ({"floor": -1.0}, "at least 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, said, unchecked):
    with pytest.raises(ValueError, match=said):
        fit_gmm(sample(0), 3, **options)


def test_of_several_starts_the_likeliest_fit_is_kept():
    """The starts are those that single calls with the same generator would take, one after another."""
    x, one_by_one = sample(5, n=300, k=5), gen(7)
    apart = [fit_gmm(x, 5, generator=one_by_one) for _ in range(6)]
    together = fit_gmm(x, 5, n_init=6, generator=gen(7))
    ends = [fit.log_likelihood[-1] for fit in apart]
    assert together.log_likelihood[-1] == max(ends)
    assert max(ends) > min(ends) + 1e-3
