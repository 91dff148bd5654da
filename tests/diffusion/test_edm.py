"""EDM's coefficients from the variances that they are to give, its times, and its solver."""

import math

import pytest
import torch
from diffusers import HeunDiscreteScheduler

from gdmcourse.diffusion.edm import Preconditioning, edm_heun, karras_sigmas, sigma_denoiser
from gdmcourse.diffusion.flow import exact_flow
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

close = torch.testing.assert_close
SIGMAS = torch.tensor([0.01, 0.3, 1.0, 20.0]).double()
TWO = GaussianMixture.isotropic(torch.tensor([[-0.6], [0.8]]).double(), 0.2)


def exact(x, sigma, y=None):
    """E[x_0 | x_0 + σε] of the mixture, through its own formula at ᾱ = 1/(1 + σ²)."""
    out = torch.empty_like(x)
    for value in sigma.unique().tolist():
        rows = sigma == value
        kept = 1 / (1 + value**2)
        out[rows] = TWO.denoise(math.sqrt(kept) * x[rows], kept)
    return out


@pytest.mark.equation("eq-edm-coefficients")
@pytest.mark.parametrize("std", [0.5, 1.3])
def test_input_and_target_have_variance_one_and_the_scale_is_the_least(std):
    """By the exact second moments of (x_0, ε), and by trying other c_skip."""
    p = Preconditioning(std)
    skip, out, into = p.skip(SIGMAS), p.out(SIGMAS), p.into(SIGMAS)
    close(into**2 * (std**2 + SIGMAS**2), torch.ones(4).double())

    def needed(c_skip):
        """Variance of x_0 − c_skip (x_0 + σ ε)."""
        return (1 - c_skip) ** 2 * std**2 + c_skip**2 * SIGMAS**2

    close(needed(skip) / out**2, torch.ones(4).double())
    assert all((needed(skip + d) > needed(skip)).all() for d in (-0.1, -1e-3, 1e-3, 0.1))
    close(p.weight(SIGMAS) * out**2, torch.ones(4).double())
    close(p.noise(SIGMAS), SIGMAS.log() / 4)


@pytest.mark.equation("eq-edm-gaussian")
def test_for_gaussian_data_the_network_has_nothing_to_do():
    gaussian = GaussianMixture.isotropic(torch.zeros(1, 2).double(), 0.7)
    denoise = Preconditioning(0.7).denoiser(lambda x, noise, y: torch.zeros_like(x))
    for sigma in SIGMAS.tolist():
        x, kept = normal(9, 2), 1 / (1 + sigma**2)
        wanted = gaussian.denoise(math.sqrt(kept) * x, kept)
        close(denoise(x, torch.full((9,), sigma, dtype=torch.float64)), wanted)


def test_the_times_are_even_in_the_seventh_root():
    sigmas = karras_sigmas(18)
    roots = torch.tensor(sigmas[:-1], dtype=torch.float64) ** (1 / 7)
    close(roots.diff(), (roots[1] - roots[0]).expand(17), atol=1e-12, rtol=1e-9)
    assert (sigmas[0], sigmas[-2], sigmas[-1]) == (pytest.approx(80.0), pytest.approx(0.002), 0.0)


def test_a_flow_is_a_denoiser_of_noise_levels():
    denoise, x = sigma_denoiser(exact_flow(TWO)), normal(20, 1)
    for sigma in (0.05, 1.0, 10.0):
        levels = torch.full((20,), sigma, dtype=torch.float64)
        close(denoise(x * (1 + sigma), levels), exact(x * (1 + sigma), levels), atol=1e-8, rtol=1e-8)


def test_heuns_order_is_two():
    """Against a Gaussian's own path, x √((s² + σ²)/(s² + σ_0²)), ended before the last step."""
    x, s = 5.0 * normal(10, 1), 0.5

    def linear(x, sigma, y=None):
        return s**2 / (s**2 + sigma[:, None] ** 2) * x

    def end(n):
        return edm_heun(linear, x, [5.0 * (0.2 / 5.0) ** (i / n) for i in range(n + 1)])

    fine = x * math.sqrt((s**2 + 0.2**2) / (s**2 + 25))
    errors = [(end(n) - fine).abs().max().item() for n in (20, 40)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)


def test_heun_equals_diffusers():
    scheduler = HeunDiscreteScheduler(
        num_train_timesteps=1000, beta_schedule="scaled_linear", timestep_spacing="trailing"
    )
    scheduler.set_timesteps(6)
    sigmas = torch.unique_consecutive(scheduler.sigmas).double()
    theirs = sigmas[0] * normal(5, 1)
    ours = edm_heun(exact, theirs, sigmas.tolist())
    for t in scheduler.timesteps:
        sigma = scheduler.sigmas[scheduler.step_index or 0].double()
        x_0 = exact(theirs, sigma.expand(5))
        theirs = scheduler.step((theirs - x_0) / sigma, t, theirs).prev_sample
    close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Preconditioning(0.0), "standard deviation must be above 0"),
        (lambda: Preconditioning().skip(torch.tensor([0.0])), "σ must be above 0"),
        (lambda: karras_sigmas(18, low=0.0), "from a high σ to a low one above 0"),
        (lambda: karras_sigmas(1), "at least 2 steps"),
        (lambda: edm_heun(exact, normal(2, 1), [0.1, 1.0]), "noise levels must decrease"),
    ],
)
def test_bad_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
