"""Claims of the chapter on fast samplers whose formulas stand on the page, and what it says of diffusers."""

import math
from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler

from gdmcourse.diffusion import cosine_schedule, exact_denoiser, linear_schedule, posterior
from gdmcourse.diffusion.bound import bound_weights
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.ode import probability_flow, rk45
from gdmcourse.diffusion.samplers import (
    ddim,
    ddim_sigma,
    ddim_step,
    dpm_solver,
    dpm_solver_step,
    spaced_times,
    walk,
)
from gdmcourse.diffusion.samplers.times import predict, split_noise
from gdmcourse.diffusion.sde import VPSDE, exact_score
from gdmcourse.probability import GaussianMixture, gaussian_kl
from tests.oracles import normal

close = torch.testing.assert_close
LINE = GaussianMixture.isotropic(
    torch.tensor([[-1.5], [0.5], [2.0]]).double(), 0.4, torch.tensor([0.3, 0.3, 0.4]).double()
)
VP = VPSDE()
SCHEDULES = {"linear": linear_schedule(1000), "cosine": cosine_schedule(1000)}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def flow(x: torch.Tensor, t: float, s: float) -> torch.Tensor:
    """The probability flow of the mixture by Runge–Kutta: it knows neither DDIM nor λ."""
    return rk45(probability_flow(exact_score(LINE, VP), VP), x, t, s, rtol=1e-9, atol=1e-9)


def guess(x: torch.Tensor, t: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(E[x_0 | x_t], E[ε | x_t]) of the mixture at a real time."""
    signal, _ = VP.marginal(t)
    return LINE.denoise(x, signal**2), LINE.noise(x, signal**2)


@pytest.mark.equation("eq-ddim-marginal")
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_marginal_of_a_pair_is_the_integral_over_the_first_of_it(share):
    """∫ q(x_t | x_0) q_σ(x_s | x_t, x_0) dx_t by quadrature, with σ a share of the most that is allowed."""
    x0, (a_t, b_t), (a_s, b_s) = 0.7, (0.6, 0.8), (0.8, 0.6)
    sigma = max(share * b_s, 1e-3)
    x_t = torch.linspace(-6, 6, 12001, dtype=torch.float64)
    x_s = torch.linspace(-2, 3, 11, dtype=torch.float64)[:, None]
    start = torch.distributions.Normal(a_t * x0, b_t).log_prob(x_t)
    mean = a_s * x0 + math.sqrt(b_s**2 - sigma**2) * (x_t - a_t * x0) / b_t
    joint = (start + torch.distributions.Normal(mean, sigma).log_prob(x_s)).exp()
    got = torch.trapezoid(joint, x_t, dim=1)
    close(got, torch.distributions.Normal(a_s * x0, b_s).log_prob(x_s[:, 0]).exp(), atol=1e-5, rtol=1e-5)


@pytest.mark.equation("eq-ddim-weight")
@pytest.mark.parametrize("eta", [0.3, 1.0])
@pytest.mark.parametrize(("t", "s"), [(800, 300), (120, 119)])
def test_a_wrong_guess_costs_a_weighted_squared_error(t, s, eta):
    ((here, there),) = walk(SCHEDULES["linear"], [t, s])
    x_t, noise, wrong = normal(4), normal(4, seed=1), normal(4, seed=2)
    sigma = ddim_sigma(here, there, eta)
    means = [ddim_step((x_t - here.sigma * e) / here.signal, e, there, sigma) for e in (noise, wrong)]
    covariance = sigma**2 * torch.eye(4, dtype=torch.float64)
    wanted = gaussian_kl(means[0], covariance, means[1], covariance)
    factor = there.signal * here.sigma / here.signal - math.sqrt(there.sigma**2 - sigma**2)
    close(factor**2 / (2 * sigma**2) * (noise - wrong).square().sum(), wanted, rtol=1e-8, atol=0)


@pytest.mark.equation("eq-ddim-weight")
def test_at_eta_one_and_single_steps_the_weights_are_those_of_the_bound():
    schedule = SCHEDULES["linear"]
    for t in (2, 50, 700, 1000):
        ((here, there),) = walk(schedule, [t, t - 1])
        sigma = ddim_sigma(here, there, 1.0)
        factor = there.signal * here.sigma / here.signal - math.sqrt(there.sigma**2 - sigma**2)
        assert factor**2 / (2 * sigma**2) == pytest.approx(float(bound_weights(schedule)[t]), rel=2e-3)


@pytest.mark.equation("eq-ddim-ancestral")
@every_schedule
@pytest.mark.parametrize(("t", "s"), [(1000, 999), (900, 200), (30, 1), (5, 0)])
def test_at_eta_one_mean_and_variance_are_the_posteriors(schedule, t, s):
    ((here, there),) = walk(schedule, [t, s])
    x0, x_t = normal(3, 2), normal(3, 2, seed=1)
    mean, variance = posterior(schedule, x0, x_t, t, s)
    noise = (x_t - here.signal * x0) / here.sigma
    sigma = ddim_sigma(here, there, 1.0)
    close(ddim_step(x0, noise, there, sigma), mean, atol=1e-5, rtol=1e-4)
    assert sigma**2 == pytest.approx(float(variance.flatten()[0]), rel=1e-3, abs=1e-9)


@pytest.mark.equation("eq-ddim-step")
@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("guess", ["right", "wrong"])
def test_a_step_from_noisy_data_leads_to_noisy_data_if_the_image_is_known(eta, guess):
    """q(x_s | x_0) of 50,000 steps, and not so if they jump to another image than the one behind x_t."""
    ((here, there),) = walk(SCHEDULES["cosine"], [700, 400])
    x0 = torch.tensor([0.3, 0.9], dtype=torch.float64)
    x_t = here.signal * x0 + here.sigma * normal(50_000, 2)
    believed = x0 if guess == "right" else -x0
    noise = (x_t - here.signal * believed) / here.sigma
    x_s = ddim_step(believed, noise, there, ddim_sigma(here, there, eta), normal(50_000, 2, seed=1))
    off = (x_s.mean(0) - there.signal * x0).abs()
    if guess == "wrong":
        assert off.min() > 0.1
        return
    assert off.max() < 0.015
    close(x_s.var(0), torch.full((2,), there.sigma**2).double(), atol=0, rtol=0.03)
    # How much of the noise is fresh shows in what x_s and x_t still share: nothing new at η = 0.
    shared = float(torch.corrcoef(torch.stack([x_s[:, 0], x_t[:, 0]]))[0, 1])
    forward = here.signal / there.signal * there.sigma / here.sigma  # of the forward process itself
    if eta == 0.6:
        assert forward + 0.02 < shared < 0.99
    else:
        assert shared == pytest.approx({0.0: 1.0, 1.0: forward}[eta], abs=0.01)


@pytest.mark.equation("eq-ddim-euler")
def test_a_step_without_noise_is_eulers_in_the_ratio_of_noise_to_signal():
    ((here, there),) = walk(SCHEDULES["cosine"], [640, 210])
    x, noise = normal(5), normal(5, seed=1)
    x_s = ddim_step((x - here.sigma * noise) / here.signal, noise, there, 0.0)
    r_t, r_s = here.sigma / here.signal, there.sigma / there.signal
    close(x_s / there.signal, x / here.signal + (r_s - r_t) * noise)


@pytest.mark.equation("eq-ddim-ode")
@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_the_noise_is_the_velocity_of_the_scaled_point(t):
    x, h = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None], 1e-4
    later, earlier = VP.noise_level(t + h), VP.noise_level(t - h)
    rise = flow(x, t, t + h) / later.signal - flow(x, t, t - h) / earlier.signal
    run = later.sigma / later.signal - earlier.sigma / earlier.signal
    close(rise / run, guess(x, t)[1], atol=1e-5, rtol=1e-5)


@pytest.mark.equation("eq-variation-of-constants")
@pytest.mark.parametrize(("t", "s"), [(0.9, 0.6), (0.5, 0.1)])
def test_the_integral_along_the_flow_leads_to_its_end(t, s):
    """Simpson's rule over t, dλ = −β/(2b²) dt, on points that Runge–Kutta has computed."""
    x, n = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None], 48
    times = [t + (s - t) * i / n for i in range(n + 1)]
    points = [x]
    for a, b in pairwise(times):
        points.append(flow(points[-1], a, b))
    integral = torch.zeros_like(x)
    for i, (u, point) in enumerate(zip(times, points, strict=True)):
        at, weight = VP.noise_level(u), 1 if i in (0, n) else 4 if i % 2 else 2
        rate = -VP.beta(u) / (2 * at.sigma**2)
        integral += weight / 3 * (s - t) / n * rate * at.signal / at.sigma * guess(point, u)[0]
    here, there = VP.noise_level(t), VP.noise_level(s)
    close(there.sigma / here.sigma * x + there.sigma * integral, points[-1], atol=2e-5, rtol=0)


@pytest.mark.equation("eq-psi")
@pytest.mark.parametrize("h", [0.05, 0.7, 3.0])
def test_the_integrals_of_powers_follow_the_recursion(h):
    u = torch.linspace(0, h, 20001, dtype=torch.float64)
    psi = 1 - math.exp(-h)
    for k in range(4):
        if k:
            psi = h**k / math.factorial(k) - psi
        by_quadrature = math.exp(-h) * float(torch.trapezoid(u**k / math.factorial(k) * u.exp(), u))
        assert psi == pytest.approx(by_quadrature, rel=1e-6)


@pytest.mark.equation("eq-dpm-solver")
def test_a_polynomial_guess_is_integrated_without_error():
    """Order 3 against quadrature of a parabola in λ, from unevenly spaced answers."""
    q, r, t, s = (VP.noise_level(u) for u in (0.72, 0.6, 0.55, 0.41))

    def parabola(lam):
        return 0.3 - 1.2 * lam + 0.7 * lam**2

    history = [(at, torch.tensor(parabola(at.half_log_snr))) for at in (q, r, t)]
    lam = torch.linspace(t.half_log_snr, s.half_log_snr, 20001, dtype=torch.float64)
    integral = float(torch.trapezoid(lam.exp() * parabola(lam), lam))
    wanted = s.sigma / t.sigma * 0.8 + s.sigma * integral
    assert float(dpm_solver_step(torch.tensor(0.8), history, s)) == pytest.approx(wanted, rel=1e-5)


def rank(x: torch.Tensor, times: list[float]) -> torch.Tensor:
    """F_t at points (..., n, 1) of n times."""
    kept = torch.tensor([VP.marginal(t)[0] ** 2 for t in times], dtype=torch.float64)[:, None]
    spread = (kept * LINE.covariances.flatten() + 1 - kept).sqrt()
    return torch.special.ndtr((x - kept.sqrt() * LINE.means.flatten()) / spread) @ LINE.weights


@pytest.mark.equation("eq-flow-ranks")
def test_points_of_the_flow_keep_their_rank():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    for s in (0.7, 0.3, 0.05):
        close(rank(flow(x, 1.0, s), [s]), rank(x, [1.0]), atol=1e-6, rtol=0)


def exact_path(x: torch.Tensor, times: list[float]) -> torch.Tensor:
    """The points (len(times), len(x), 1) of the flow, by bisection for the rank that each keeps."""
    low, high = (torch.full((len(x), len(times), 1), end, dtype=torch.float64) for end in (-9, 9))
    wanted = rank(x[:, None], times[:1])
    for _ in range(50):
        middle = (low + high) / 2
        below = (rank(middle, times) < wanted)[..., None]
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return middle.transpose(0, 1)


def errors_of(order: int, n: int) -> tuple[float, list[float]]:
    """In x/b, the error of a walk of n steps, and of each step from exact values with exact history."""
    times = torch.linspace(0.95, 0.15, n + 1).tolist()
    points = exact_path(torch.linspace(-1.5, 1.5, 7, dtype=torch.float64)[:, None], times)
    exact = [(VP.noise_level(t), guess(p, t)[0]) for t, p in zip(times, points, strict=True)]
    steps, walked, history = [], points[0], []
    for i, t in enumerate(times[:-1]):
        here, there = VP.noise_level(t), VP.noise_level(times[i + 1])
        single = dpm_solver_step(points[i], exact[: i + 1][-order:], there)
        steps.append(float((single - points[i + 1]).abs().max()) / there.sigma)
        history = [*history, (here, guess(walked, t)[0])][-order:]
        walked = dpm_solver_step(walked, history, there)
    return float((walked - points[-1]).abs().max()) / there.sigma, steps


@pytest.mark.equation("eq-error-sum")
@pytest.mark.parametrize("order", [1, 2])
def test_the_errors_of_the_steps_add_up_and_one_factor_serves_all_numbers_of_steps(order):
    """The factor is nearly the same for 20 steps and for 40; to the largest error there is no such factor."""
    (few, few_steps), (many, many_steps) = errors_of(order, 20), errors_of(order, 40)
    assert many / sum(many_steps) == pytest.approx(few / sum(few_steps), rel=0.1)
    assert many / max(many_steps) > 1.5 * few / max(few_steps)
    assert few / many == pytest.approx(2**order, rel=0.15)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_last_step_of_any_order_is_the_guess(order):
    schedule = SCHEDULES["cosine"]
    denoiser, x = exact_denoiser(LINE, schedule), normal(6, 1)
    near = dpm_solver(denoiser, schedule, x, [1000, 700, 400, 90], order=order)
    end = dpm_solver(denoiser, schedule, x, [1000, 700, 400, 90, 0], order=order)
    if order == 1:
        close(end, LINE.denoise(near, alpha_bar_at(schedule, 90)))
    assert end.isfinite().all()


def test_a_kept_noise_after_clipping_describes_another_point():
    """The third error of the page: the clipped x̂_0 adds up to x_t with the new ε̂, not with the old."""
    ((here, _),) = walk(SCHEDULES["cosine"], [500, 400])
    x_t, noise = normal(50), 3 * normal(50, seed=1)
    x0, again = split_noise(x_t, noise, here, clip=1.0)
    assert (x0.abs() == 1).any()
    close(here.signal * x0 + here.sigma * again, x_t)
    assert (here.signal * x0 + here.sigma * noise - x_t).abs().max() > 0.5


def times_of_diffusers(spacing: str, steps: int) -> tuple[list[int], list[int]]:
    """The times at which its DDIM asks, and those that its steps reach, in our count."""
    peer = DDIMScheduler(1000, timestep_spacing=spacing)
    peer.set_timesteps(steps)
    asked = [int(t) + 1 for t in peer.timesteps]
    return asked, [max(0, t - 1000 // steps) for t in asked]


@pytest.mark.parametrize(("spacing", "steps"), [("leading", 600), ("linspace", 600), ("trailing", 30)])
def test_what_the_page_says_of_the_times_of_diffusers(spacing, steps):
    asked, reached = times_of_diffusers(spacing, steps)
    if spacing == "leading":
        assert asked[0] == 600
    else:
        assert asked[0] == 1000
        assert [t for t, s in zip(asked[1:], reached[:-1], strict=True) if t != s]


def test_its_previous_time_by_division_ends_at_another_law():
    """Its own scheduler, 600 linspace steps, the exact denoiser: too wide and off the mean; ours is not."""
    law = GaussianMixture.isotropic(torch.tensor([[-0.2], [0.8]]), 0.15, torch.tensor([0.3, 0.7]))
    schedule, x = SCHEDULES["cosine"], normal(2000, 1).float()
    denoiser = exact_denoiser(law, schedule)
    peer = DDIMScheduler(
        1000, beta_schedule="squaredcos_cap_v2", timestep_spacing="linspace", clip_sample=False
    )
    peer.set_timesteps(600)
    theirs = x
    for t in peer.timesteps:
        theirs = peer.step(denoiser(theirs, torch.full((2000,), int(t) + 1)), int(t), theirs).prev_sample
    ours = ddim(denoiser, schedule, x, spaced_times(1000, 600))
    assert abs(ours.mean() - 0.5) < 0.03
    assert abs(theirs.mean() - 0.5) > 0.1
    assert theirs.std() > ours.std() + 0.05


def test_encoding_and_decoding_lose_little_and_less_with_more_steps():
    schedule = SCHEDULES["linear"]
    denoiser, x0 = exact_denoiser(LINE, schedule), LINE.sample(200, torch.Generator().manual_seed(0))
    lost = []
    for steps in (50, 200):
        times, x = spaced_times(1000, steps), x0
        for t, s in reversed(list(walk(schedule, [*times[:-1], 1]))):
            x = ddim_step(*predict(denoiser, x, s, None), t, 0.0)
        lost.append(float((ddim(denoiser, schedule, x, times) - x0).square().mean().sqrt()))
    assert lost[1] < 0.5 * lost[0] < 0.2
