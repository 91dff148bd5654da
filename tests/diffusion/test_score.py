"""Scores, their learning and Langevin dynamics, where the density is known."""

import math

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import exact_denoiser, linear_schedule
from gdmcourse.diffusion.samplers import annealed_langevin, geometric_sigmas, langevin_step
from gdmcourse.diffusion.score import (
    NoiseLevelScore,
    denoising_score_matching,
    noise_level_loss,
    score_from_noise,
    score_of_denoiser,
    tweedie,
)
from gdmcourse.nn import UNet
from gdmcourse.probability import GaussianMixture

SCHEDULE = linear_schedule(1000)
MEANS = torch.tensor([[-1.5], [1.0]], dtype=torch.float64)
LINE = GaussianMixture.isotropic(MEANS, 0.3, torch.tensor([0.4, 0.6], dtype=torch.float64))


def blurred(law: GaussianMixture, sigma: float) -> GaussianMixture:
    eye = torch.eye(law.means.shape[1], dtype=law.means.dtype)
    return GaussianMixture(law.weights, law.means, law.covariances + sigma**2 * eye)


@pytest.mark.equation("eq-tweedie")
@pytest.mark.parametrize(("signal", "sigma"), [(1.0, 0.5), (0.6, 0.8), (0.05, 0.99)])
def test_tweedie_is_the_mean_of_the_clean_point(signal, sigma):
    """E[x_0 | x] by integrating over x_0 on a grid, the score by a numerical derivative."""
    x0 = torch.linspace(-5, 5, 20_001, dtype=torch.float64)
    prior = LINE.log_prob_1d(x0)
    x = torch.tensor([-2.0, -0.3, 0.4, 1.7], dtype=torch.float64)

    def joint(x: torch.Tensor) -> torch.Tensor:
        return prior - (x[:, None] - signal * x0) ** 2 / (2 * sigma**2)

    wanted = joint(x).softmax(1) @ x0
    score = (joint(x + 1e-4).logsumexp(1) - joint(x - 1e-4).logsumexp(1)) / 2e-4
    torch.testing.assert_close(
        tweedie(x[:, None], score[:, None], sigma, signal)[:, 0], wanted, atol=1e-6, rtol=1e-6
    )


@pytest.mark.equation("eq-score-noise")
@pytest.mark.parametrize("t", [50, 300, 700, 1000])
def test_the_score_is_the_mean_of_the_noise_over_minus_its_size(t):
    """E[ε | x_t] by integrating over ε, ∇ log p by a numerical derivative of the integral over x_0."""
    kept = float(torch.prod(1 - SCHEDULE.beta[1 : t + 1].double()))
    signal, sigma = kept**0.5, (1 - kept) ** 0.5
    x0, eps = (torch.linspace(-end, end, 20_001, dtype=torch.float64) for end in (5, 9))
    x = torch.tensor([-2.0, -0.3, 0.4, 1.7], dtype=torch.float64)
    clean = LINE.log_prob_1d(((x[:, None] - sigma * eps) / signal).flatten()).reshape(4, -1)
    mean = (clean - eps**2 / 2).softmax(1) @ eps

    def log_p(x: torch.Tensor) -> torch.Tensor:
        return (LINE.log_prob_1d(x0) - (x[:, None] - signal * x0) ** 2 / (2 * sigma**2)).logsumexp(1)

    derivative = (log_p(x + 1e-4) - log_p(x - 1e-4)) / 2e-4
    times = torch.full((4,), t)
    got = score_from_noise(SCHEDULE, mean[:, None], times)[:, 0]
    torch.testing.assert_close(got, derivative, atol=1e-4, rtol=1e-4)
    through = score_of_denoiser(exact_denoiser(LINE, SCHEDULE), SCHEDULE)(x[:, None], times)[:, 0]
    torch.testing.assert_close(through, derivative, atol=1e-4, rtol=1e-4)


@pytest.mark.equation("eq-denoising-score-matching")
@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_score_matching_differs_from_the_distance_to_the_true_score_by_a_constant(sigma):
    """The same constant for every score tried, which makes the true score the best one."""
    x = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    noisy = blurred(LINE, sigma)
    density = noisy.log_prob_1d(x).exp() * 0.01
    x0, noise = torch.meshgrid(
        torch.linspace(-4, 4, 801, dtype=torch.float64), torch.linspace(-6, 6, 601, dtype=torch.float64),
        indexing="ij",
    )  # fmt: skip
    weight = (LINE.log_prob_1d(x0.flatten()) - noise.flatten() ** 2 / 2).softmax(0)
    pairs = (x0.reshape(-1, 1), noise.reshape(-1, 1))

    constants = []
    scores = [
        lambda x, s: noisy.score(x),
        lambda x, s: -x / (1 + s[:, None] ** 2),
        lambda x, s: torch.sin(2 * x) / s[:, None],
    ]
    for score in scores:

        def weighted(y, s, score=score):  # the loss averages evenly; a factor √w makes it the integral
            return score(y, s)

        residual = sigma * weighted(pairs[0] + sigma * pairs[1], torch.full((len(weight),), sigma).double())
        denoising = float((weight[:, None] * (residual + pairs[1]) ** 2).sum())
        explicit = score(x[:, None], torch.full((1601,), sigma).double()) - noisy.score(x[:, None])
        constants.append(denoising - sigma**2 * float((density[:, None] * explicit**2).sum()))
    assert constants[1] == pytest.approx(constants[0], abs=1e-4)
    assert constants[2] == pytest.approx(constants[0], abs=1e-4)

    generator = torch.Generator().manual_seed(0)
    clean = LINE.sample(200_000, generator)
    noise = torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    sampled = denoising_score_matching(scores[0], clean, torch.full((200_000,), sigma).double(), noise)
    assert float(sampled) == pytest.approx(constants[0], abs=0.01)


def test_each_image_has_its_own_noise_level():
    """The loss with two levels in one batch is the mean of the two losses apart."""
    x0, noise = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    sigma = torch.tensor([0.1, 5.0])

    def score(x, s):
        return -x / s.view(-1, 1, 1)

    apart = [
        denoising_score_matching(score, x0[i : i + 1], sigma[i : i + 1], noise[i : i + 1]) for i in (0, 1)
    ]
    torch.testing.assert_close(denoising_score_matching(score, x0, sigma, noise), sum(apart) / 2)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 50.0])
def test_the_noise_level_network_sees_and_says_numbers_of_size_one(sigma):
    seen = {}

    class Probe(nn.Module):
        def forward(self, x, t):
            seen["x"], seen["t"] = x, t
            return torch.ones_like(x)

    x = math.sqrt(1 + sigma**2) * torch.randn(2000, 1)
    score = NoiseLevelScore(Probe())(x, torch.full((2000,), sigma))
    assert float(seen["x"].std()) == pytest.approx(1, abs=0.06)
    assert torch.allclose(seen["t"], torch.full((2000,), 100 * math.log(sigma)))
    torch.testing.assert_close(score, torch.full_like(x, -1 / sigma))


def test_the_loss_for_fit_of_a_score_network_is_finite_and_reaches_its_weights():
    model = NoiseLevelScore(UNet(1, width=8))
    loss = noise_level_loss(geometric_sigmas(5, 5.0, 0.05))
    images = torch.randn(4, 1, 8, 8)
    value = loss(model, images, torch.Generator().manual_seed(0))
    assert float(value.detach()) == pytest.approx(1, abs=0.3)  # a network that says 0 is wrong by the noise
    value.backward()
    assert model.network.last[-1].weight.grad.any()
    assert torch.equal(value, loss(model, (images, torch.arange(4)), torch.Generator().manual_seed(0)))


def test_noise_levels_fall_by_a_constant_ratio():
    sigmas = geometric_sigmas(5, 10.0, 0.01)
    assert sigmas[0] == pytest.approx(10, rel=1e-6)
    assert sigmas[-1] == pytest.approx(0.01, rel=1e-6)
    torch.testing.assert_close(sigmas[1:] / sigmas[:-1], torch.full((4,), 1000**-0.25))
    for bad in ((1, 1.0, 0.1), (3, 0.1, 1.0), (3, 1.0, 0.0)):
        with pytest.raises(ValueError, match="levels"):
            geometric_sigmas(*bad)


@pytest.mark.equation("eq-langevin-stationary")
def test_langevin_steps_reach_the_density():
    """On N(m, v) a step is affine: its stationary variance is v / (1 − a/(4v)), within O(a) of v."""
    m, v, a = 0.7, 0.5, 0.02
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(20_000, 1, dtype=torch.float64)
    for _ in range(400):
        z = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x = langevin_step(x, (m - x) / v, a, z)
    assert float(x.mean()) == pytest.approx(m, abs=4 * math.sqrt(v / 20_000))
    assert float(x.var()) == pytest.approx(v / (1 - a / (4 * v)), rel=0.04)


@pytest.mark.parametrize("annealed", [True, False])
def test_annealing_finds_the_weights_of_far_modes(annealed):
    """Plain Langevin stays in the mode where it starts; falling noise levels share the points out."""
    means = torch.tensor([[-4.0, 0.0], [4.0, 0.0]], dtype=torch.float64)
    law = GaussianMixture.isotropic(means, 0.3, torch.tensor([0.2, 0.8], dtype=torch.float64))

    def score(x, sigma):
        return blurred(law, float(sigma[0])).score(x)

    generator = torch.Generator().manual_seed(0)
    x = 8 * torch.randn(1000, 2, generator=generator, dtype=torch.float64)
    sigmas = geometric_sigmas(12, 8.0, 0.05) if annealed else geometric_sigmas(2, 0.06, 0.05)
    samples = annealed_langevin(score, sigmas, x, steps=60, step_size=5e-4, generator=generator)
    share = float((samples[:, 0] > 0).double().mean())
    assert share == pytest.approx(0.8 if annealed else 0.5, abs=0.06)
    if annealed:
        kept = samples[samples[:, 0] > 0]
        assert float(kept[:, 1].std()) == pytest.approx(0.3, abs=0.05)


def test_rising_noise_levels_are_refused():
    with pytest.raises(ValueError, match="must decrease"):
        annealed_langevin(lambda x, s: -x, torch.tensor([0.1, 1.0]), torch.zeros(2, 1))


def test_the_last_step_removes_the_noise_that_is_left():
    def score(x, sigma):
        return blurred(LINE, float(sigma[0])).score(x)

    runs = [
        annealed_langevin(
            score, geometric_sigmas(3, 1.0, 0.2), torch.zeros(50, 1, dtype=torch.float64), steps=20,
            step_size=0.01, denoise=denoise, generator=torch.Generator().manual_seed(0),
        )
        for denoise in (False, True)
    ]  # fmt: skip
    smallest = torch.full((50,), 0.2)
    torch.testing.assert_close(runs[1], tweedie(runs[0], score(runs[0], smallest), 0.2), atol=1e-6, rtol=1e-6)
