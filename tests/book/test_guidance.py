"""Claims of the chapter on guidance whose formulas stand on the page, and the slips that it shows."""

import math

import pytest
import torch

from gdmcourse.diffusion import (
    Schedule,
    autoguidance,
    classifier_guidance,
    cosine_schedule,
    exact_classifier,
    exact_denoiser,
    guided_between,
    linear_schedule,
)
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.guidance import classifier_gradient, guided_mean
from gdmcourse.diffusion.samplers import ancestral_mean, ancestral_variances, ddim, walk
from gdmcourse.diffusion.samplers.times import split_noise
from gdmcourse.probability import GaussianMixture
from tests.oracles import log_bell

close = torch.testing.assert_close
LINE = GaussianMixture.isotropic(
    torch.tensor([[-1.0], [0.6], [1.5]]).double(), 0.5, torch.tensor([0.5, 0.3, 0.2]).double()
)
PAIR = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]).double(), 1.0)
GRID = torch.linspace(-9, 9, 6001, dtype=torch.float64)
DX = float(GRID[1] - GRID[0])


def label_log_probability(law, x, label):
    return law.log_responsibilities(x.reshape(-1, 1))[:, label]


@pytest.mark.equation("eq-conditional-step")
@pytest.mark.parametrize("label", [0, 1, 2])
def test_bayes_for_a_step_against_the_joint_gaussian_of_the_component(label):
    """Given the component, (x_{t−1}, x_t) are jointly Gaussian; the claim has a mixture and a label."""
    schedule = Schedule.from_betas(torch.tensor([0.3, 0.4]))
    before, after = (LINE.diffused(alpha_bar_at(schedule, t)) for t in (1, 2))
    kept, x_t = 0.6, torch.tensor([0.35], dtype=torch.float64)
    # p(x_{t−1} | x_t) of the mixture, on the grid, by Bayes from the forward step.
    forward = log_bell(x_t, kept**0.5 * GRID, 1 - kept)
    way_back = before.log_prob_1d(GRID) + forward - after.log_prob_1d(x_t)
    claimed = way_back + label_log_probability(before, GRID, label) - label_log_probability(after, x_t, label)
    # The exact conditional: Gaussian conditioning within the component.
    m, v = float(before.means[label]), float(before.covariances[label])
    gain = kept**0.5 * v / (kept * v + 1 - kept)
    mean, variance = m + gain * (float(x_t) - kept**0.5 * m), v - gain * kept**0.5 * v
    close(claimed, log_bell(GRID, mean, variance), atol=1e-5, rtol=1e-5)
    assert float((claimed.exp() * DX).sum()) == pytest.approx(1, abs=1e-6)


def steps_of(T):
    """A step at ᾱ near one half: points, labels, exact means without and with the label, and the pieces."""
    schedule = linear_schedule(T)
    t = int((schedule.alpha_bar - 0.5).abs().argmin())
    before, after = (LINE.diffused(alpha_bar_at(schedule, s)) for s in (t - 1, t))
    x, y = after.sample_with_labels(400, torch.Generator().manual_seed(0))
    beta = 1 - alpha_bar_at(schedule, t) / alpha_bar_at(schedule, t - 1)
    mean = before.denoise(x, 1 - beta)  # x_t is x_{t−1} diffused by one step
    conditional = torch.stack(
        [before.given(k).denoise(row[None], 1 - beta)[0] for row, k in zip(x, y.tolist(), strict=True)]
    )
    return schedule, t, beta, x, y, mean, conditional


def gradient_at(schedule, point, t, y):
    return classifier_gradient(exact_classifier(LINE, schedule), point, torch.full((len(point),), t), y)


@pytest.mark.equation("eq-conditional-mean-shift")
@pytest.mark.parametrize("T", [40, 1000])
def test_the_label_moves_the_mean_by_a_gradient_at_the_later_point(T):
    schedule, t, beta, x, y, mean, conditional = steps_of(T)
    shift = beta / math.sqrt(1 - beta) * gradient_at(schedule, x, t, y)
    close(mean + shift, conditional, atol=1e-6, rtol=1e-6)
    assert (conditional - mean).abs().max() > 0.01


@pytest.mark.equation("eq-conditional-mean-shift")
def test_guiding_the_noise_is_guiding_the_mean():
    """The library's guided denoiser in an ancestral step, against the exact conditional mean."""
    schedule, t, _, x, y, _, conditional = steps_of(40)
    guided = classifier_guidance(
        exact_denoiser(LINE, schedule), exact_classifier(LINE, schedule), schedule, 1.0
    )
    here, there = next(iter(walk(schedule, [t, t - 1])))
    x0, _ = split_noise(x, guided(x, torch.full((len(x),), t), y), here)
    close(ancestral_mean(x, x0, here, there), conditional, atol=1e-5, rtol=1e-5)


@pytest.mark.slip(18)
def test_the_derivation_s_gradient_and_the_sampler_s_differ_and_the_sampler_s_is_nearer():
    """Source 004 derives g at μ and samples with g at x_t; against the exact mean with the label."""
    for T, worst in ((40, 0.2), (1000, 0.01)):
        schedule, t, beta, x, y, mean, conditional = steps_of(T)
        derived = guided_mean(mean, beta, gradient_at(schedule, mean, t - 1, y), 1.0)
        sampled = guided_mean(mean, beta, gradient_at(schedule, x, t, y), 1.0)
        errors = [float((m - conditional).norm() / (conditional - mean).norm()) for m in (derived, sampled)]
        assert 0 < errors[1] < errors[0] < worst
        # What is left of the sampler's error is the factor 1/√α_t.
        assert errors[1] == pytest.approx(1 - math.sqrt(1 - beta), rel=1e-3)


@pytest.mark.equation("eq-scaled-label")
@pytest.mark.parametrize("scale", [0.5, 2.0, 7.0])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_normaliser_of_a_scaled_label_moves_with_x(scale, label):
    """∇ log p_s(y | x) by finite differences, against the formula with the other labels' gradients."""
    x = torch.linspace(-2, 3, 21, dtype=torch.float64)

    def log_p_s(x):
        logs = scale * LINE.log_responsibilities(x.reshape(-1, 1))
        return logs[:, label] - logs.logsumexp(1)

    h = 1e-5
    numerical = (log_p_s(x + h) - log_p_s(x - h)) / (2 * h)
    gradients = torch.stack(
        [
            (label_log_probability(LINE, x + h, k) - label_log_probability(LINE, x - h, k)) / (2 * h)
            for k in range(3)
        ],
        dim=1,
    )
    p_s = (scale * LINE.log_responsibilities(x.reshape(-1, 1))).softmax(1)
    claimed = scale * (gradients[:, label] - (p_s * gradients).sum(1))
    close(numerical, claimed, atol=1e-6, rtol=1e-6)


@pytest.mark.slip(9)
@pytest.mark.equation("eq-scaled-label")
def test_scaling_the_gradient_is_not_renormalising_the_label():
    """Two unit Gaussians at ±1: p(1 | x) = 1/(1 + e^(−2x)), and everything can be worked out by hand."""
    x, s = torch.tensor([1.0], dtype=torch.float64), 4.0
    schedule = linear_schedule(1000)
    times, one = torch.zeros(1, dtype=torch.long), torch.ones(1, dtype=torch.long)
    gradient = classifier_gradient(exact_classifier(PAIR, schedule), x[:, None], times, one).item()
    assert gradient == pytest.approx(2 / (1 + math.exp(2)), abs=1e-9)
    point = x.clone().requires_grad_()
    logs = s * PAIR.log_responsibilities(point[:, None])[0]
    renormalised = torch.autograd.grad(logs[1] - logs.logsumexp(0), point)[0].item()
    assert renormalised == pytest.approx(2 * s / (1 + math.exp(2 * s)), abs=1e-9)
    assert s * gradient > 300 * renormalised
    # A constant normaliser, as with an integral over x, would do; but that integral has no end.
    masses = [
        torch.trapezoid((s * label_log_probability(PAIR, line, 1)).exp(), line).item()
        for line in (torch.linspace(-9, end, 6001, dtype=torch.float64) for end in (10, 20, 40))
    ]
    assert masses[1] - masses[0] == pytest.approx(10, rel=1e-3)
    assert masses[2] - masses[1] == pytest.approx(20, rel=1e-3)


# A measurement y = x_0 + √r η of standard normal data: every law is Gaussian, and every step affine.


def precision_of_field(kept, s, r):
    """−∂²/∂x² of log p_t(x) + s log p_t(y | x), by finite differences of the Gaussian conditional."""
    y, h = 0.8, 1e-3

    def log_density(x):
        mean, variance = math.sqrt(kept) * x, r + 1 - kept  # of y given x_t, by conditioning
        return log_bell(x, 0.0, 1.0) + s * log_bell(torch.tensor(y), mean, variance)

    at = [log_density(torch.tensor(v, dtype=torch.float64)) for v in (-h, 0.0, h)]
    return float(-(at[0] - 2 * at[1] + at[2]) / h**2)


def tilted_variance(s, r):
    """Variance of the law ∝ N(x; 0, 1) N(y; x, r)^s, by quadrature."""
    weight = (log_bell(GRID, 0.0, 1.0) + s * log_bell(torch.tensor(0.8), GRID, r)).softmax(0)
    mean = (weight * GRID).sum()
    return float((weight * (GRID - mean) ** 2).sum())


@pytest.mark.equation("eq-guided-field")
@pytest.mark.parametrize("s", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("r", [0.5, 2.0])
def test_the_guided_field_is_narrower_than_the_diffused_tilted_law(s, kept, r):
    diffused = 1 / (kept * tilted_variance(s, r) + 1 - kept)
    claimed = s * (s - 1) * kept * (1 - kept) / ((r + 1 - kept) * (r + s * (1 - kept)))
    assert precision_of_field(kept, s, r) - diffused == pytest.approx(claimed, abs=1e-5)


def guided_noise(s, r):
    """A denoiser for standard normal data, guided by the measurement y = 0.8: affine in x."""
    schedule = cosine_schedule(2000)

    def denoiser(x, t, y=None):
        kept = schedule.alpha_bar[t].double().view(-1, 1)
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            log_y = -((0.8 - kept.sqrt() * point) ** 2) / (2 * (r + 1 - kept))
            gradient = torch.autograd.grad(log_y.sum(), point)[0]
        return (1 - kept).sqrt() * (x - s * gradient)

    return schedule, denoiser


@pytest.mark.equation("eq-guided-variance")
@pytest.mark.parametrize("s", [0.0, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("r", [0.5, 2.0])
def test_three_laws_for_one_scale(s, r):
    """The variances by quadrature, by DDIM, and by the recursion of an ancestral walk; nothing is drawn."""
    schedule, denoiser = guided_noise(s, r)
    assert tilted_variance(s, r) == pytest.approx(r / (r + s), rel=1e-4)
    ends = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    times = range(schedule.T, -1, -1)
    slope = ddim(denoiser, schedule, ends, times).diff(dim=0).item()
    assert slope**2 == pytest.approx((r / (r + 1)) ** s, rel=0.02)
    variance = 1.0
    for here, there in walk(schedule, times):
        x0, _ = split_noise(ends, denoiser(ends, torch.full((2,), here.t)), here)
        variance *= ancestral_mean(ends, x0, here, there).diff(dim=0).item() ** 2
        if there.t > 0:
            variance += ancestral_variances(here, there)[1]
    ratio = r / (r + 1)
    # For s = ½ the formula's limit is r log(1/ρ).
    wanted = r * -math.log(ratio) if s == 0.5 else r * (1 - ratio ** (2 * s - 1)) / (2 * s - 1)
    assert variance == pytest.approx(wanted, rel=0.03)
    if s > 1:
        assert slope**2 < variance < tilted_variance(s, r)


@pytest.mark.equation("eq-autoguided-variance")
@pytest.mark.parametrize(("s", "std", "worse_std"), [(0.5, 0.5, 0.4), (1.0, 0.4, 0.6), (4.0, 1.3, 1.5)])
def test_away_from_a_wider_class_the_variance_shrinks_about_the_same_centre(s, std, worse_std):
    """DDIM at every time takes a point to an affine function of it, whose slope and middle are read off."""
    schedule, m = cosine_schedule(1000), 0.7
    better, worse = (
        exact_denoiser(GaussianMixture.isotropic(torch.full((1, 1), m).double(), width), schedule)
        for width in (std, worse_std)
    )
    ends = torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
    left, middle, right = ddim(autoguidance(better, worse, s), schedule, ends, range(1000, -1, -1)).flatten()
    assert float((right - left) / 2) ** 2 == pytest.approx(
        std**2 * (std**2 / worse_std**2) ** (s - 1), rel=0.02
    )
    assert float(middle) == pytest.approx(m, abs=0.02)


@pytest.mark.equation("eq-guided-interval")
@pytest.mark.parametrize(("s", "low", "high"), [(0.0, 0, 600), (4.0, 400, 1500), (2.0, 900, 2000)])
def test_an_interval_adds_the_factor_of_its_own_times(s, low, high):
    r = 0.5
    (schedule, guided), (_, plain) = guided_noise(s, r), guided_noise(1.0, r)
    ends = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    between = guided_between(guided, plain, low, high)
    slope = ddim(between, schedule, ends, range(schedule.T, -1, -1)).diff(dim=0).item()
    first, last = (float(schedule.alpha_bar[t].double()) for t in (high, low))
    wanted = r / (r + 1) * ((r + 1 - last) / (r + 1 - first)) ** (s - 1)
    assert slope**2 == pytest.approx(wanted, rel=0.02)
