"""The forward process against the chain of its steps, exact conditioning, quadrature and diffusers."""

import math
from itertools import pairwise

import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from gdmcourse.diffusion import (
    Schedule,
    ScheduleError,
    cosine_schedule,
    linear_schedule,
    marginal,
    noise_from_velocity,
    noise_from_x0,
    posterior,
    posterior_mean_from_noise,
    q_sample,
    transition,
    velocity,
    x0_from_noise,
    x0_from_velocity,
)
from gdmcourse.probability import GaussianMixture, condition, gaussian_kl, kl, linear_image
from tests.oracles import log_bell

SCHEDULES = {"linear": linear_schedule(1000), "cosine": cosine_schedule(1000), "short": linear_schedule(30)}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
eye = torch.eye(12, dtype=torch.float64)


def exact_betas(name: str) -> list[float]:
    """β_1 … β_T in double precision, from the formulas and not from our tables."""
    if name == "cosine":
        f = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
        return [min(1 - after / before, 0.999) for before, after in pairwise(f)]
    steps = 30 if name == "short" else 1000
    return [(1e-4 + (0.02 - 1e-4) * i / (steps - 1)) * 1000 / steps for i in range(steps)]


def images(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 1, 3, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.equation("eq-two-steps")
def test_two_steps_make_one_gaussian():
    """The law of x_2 by adding up all ways through x_1 on a grid, and by the sum of the two noises."""
    schedule, x0 = Schedule.from_betas(torch.tensor([0.3, 0.45])), 1.7
    a1, a2 = 0.7, 0.55
    x1, x2 = torch.linspace(-7, 9, 2001, dtype=torch.float64), torch.linspace(-6, 7, 500, dtype=torch.float64)
    first = log_bell(x1, math.sqrt(a1) * x0, 1 - a1).exp()
    second = log_bell(x2[:, None], math.sqrt(a2) * x1, 1 - a2).exp()
    through_x1 = torch.trapezoid(first * second, x1)
    mean, variance = marginal(schedule, torch.tensor([[x0]]), 2)
    torch.testing.assert_close(
        through_x1, log_bell(x2, float(mean), float(variance)).exp(), rtol=1e-5, atol=1e-8
    )
    _, covariance = linear_image(
        torch.tensor([[math.sqrt(a2 * (1 - a1)), math.sqrt(1 - a2)]]),
        torch.zeros(1),
        torch.zeros(2),
        torch.eye(2),
    )
    assert float(covariance) == pytest.approx(1 - a1 * a2, rel=1e-6)


@pytest.mark.equation("eq-forward-marginal")
@every_schedule
def test_marginal_is_the_chain_of_its_steps(schedule):
    """Mean and variance carried through every single step in float64 give the one-draw formula."""
    x0 = images(1)
    mean, variance = x0.double(), 0.0
    for t in range(1, schedule.T + 1):
        beta = float(schedule.beta[t])
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
        if t in (1, 2, schedule.T // 2, schedule.T):
            ours, our_variance = marginal(schedule, x0, t)
            torch.testing.assert_close(ours.double(), mean, rtol=2e-5, atol=1e-8)
            assert float(our_variance) == pytest.approx(variance, rel=1e-5)


@pytest.mark.equation("eq-forward-marginal")
def test_walking_and_jumping_give_the_same_moments():
    """20,000 walks of 40 steps against 20,000 single draws: mean and variance within five standard errors."""
    schedule, n = linear_schedule(40), 20_000
    generator = torch.Generator().manual_seed(3)
    x0 = torch.full((n, 1), 1.5)
    walked = x0
    for t in range(1, 31):
        mean, variance = transition(schedule, walked, t)
        walked = mean + variance.sqrt() * torch.randn(n, 1, generator=generator)
    jumped = q_sample(schedule, x0, 30, torch.randn(n, 1, generator=generator))
    mean, variance = (float(value) for value in marginal(schedule, x0[:1], 30))
    for x in (walked, jumped):
        assert float(x.mean()) == pytest.approx(mean, abs=5 * math.sqrt(variance / n))
        assert float(x.var()) == pytest.approx(variance, abs=5 * variance * math.sqrt(2 / n))


@pytest.mark.equation("eq-forward-jump")
@every_schedule
def test_a_jump_is_the_chain_of_its_steps(schedule):
    s, t = schedule.T // 3, 2 * schedule.T // 3
    x_s = images(2)
    mean, variance = x_s.double(), 0.0
    for time in range(s + 1, t + 1):
        beta = float(schedule.beta[time])
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
    ours, our_variance = transition(schedule, x_s, t, s)
    torch.testing.assert_close(ours.double(), mean, rtol=2e-5, atol=1e-8)
    assert float(our_variance) == pytest.approx(variance, rel=1e-5)
    jump_from_data, _ = transition(schedule, x_s, t, 0)
    torch.testing.assert_close(jump_from_data, marginal(schedule, x_s, t)[0])


@pytest.mark.equation("eq-forward-moments")
def test_the_law_of_data_keeps_its_shape_and_gains_noise():
    """Mean and covariance of diffused samples of a mixture against √ᾱ μ and ᾱ Σ + (1 − ᾱ) I."""
    schedule, n = linear_schedule(100), 100_000
    mixture = GaussianMixture.isotropic(torch.tensor([[2.0, 0.0], [-1.0, 1.0], [0.0, -2.0]]), 0.3)
    generator = torch.Generator().manual_seed(5)
    x0 = mixture.sample(n, generator)
    for t in (10, 40, 100):
        x = q_sample(schedule, x0, t, torch.randn(n, 2, generator=generator))
        kept = schedule.alpha_bar[t]
        covariance = kept * mixture.covariance() + (1 - kept) * torch.eye(2)
        torch.testing.assert_close(x.mean(0), kept.sqrt() * mixture.mean(), rtol=0, atol=0.025)
        torch.testing.assert_close(x.T.cov(), covariance, rtol=0, atol=0.05)
        exact = mixture.diffused(float(kept))
        torch.testing.assert_close(exact.covariance(), covariance, rtol=1e-5, atol=1e-6)


@pytest.mark.equation("eq-forward-moments")
@every_schedule
def test_data_of_unit_variance_keeps_it(schedule):
    """Cov[x_0] = I carried through single steps, and through one draw, whose two factors are read off."""
    unit, nothing = torch.eye(3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    covariance = unit
    for t in range(1, schedule.T + 1):
        factor, added = transition(schedule, unit, t)
        covariance = factor.mT @ covariance @ factor + added * unit
        torch.testing.assert_close(covariance, unit, rtol=0, atol=1e-5)
    for t in (1, schedule.T // 3, schedule.T):
        signal, spread = q_sample(schedule, unit, t, nothing), q_sample(schedule, nothing, t, unit)
        torch.testing.assert_close(signal @ signal.mT + spread @ spread.mT, unit, rtol=0, atol=1e-5)


@pytest.mark.equation("eq-end-kl")
@every_schedule
def test_distance_of_the_end_from_standard_normal(schedule):
    x0, t, d = images(1), schedule.T // 2, 12
    mean, variance = marginal(schedule, x0, t)
    kept = float(schedule.alpha_bar[t])
    formula = 0.5 * (kept * float(x0.square().sum()) - d * (kept + math.log1p(-kept)))
    exact = gaussian_kl(mean.flatten().double(), float(variance) * eye, eye[0] * 0, eye)
    assert formula == pytest.approx(float(exact), rel=1e-4)


@pytest.mark.equation("eq-divergence-falls")
@every_schedule
def test_two_laws_only_come_closer(schedule):
    grid = torch.linspace(-9, 9, 6001, dtype=torch.float64)
    means = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
    p = GaussianMixture.isotropic(means, 0.3, torch.tensor([0.7, 0.3], dtype=torch.float64))
    q = GaussianMixture.isotropic(means + 0.5, 0.5, torch.tensor([0.2, 0.8], dtype=torch.float64))
    times = torch.linspace(0, schedule.T, 8).long()
    kept = [float(value) for value in schedule.alpha_bar[times]]
    values = [float(kl(p.diffused(a).log_prob_1d, q.diffused(a).log_prob_1d, grid)) for a in kept]
    assert all(later < earlier for earlier, later in pairwise(values))
    assert values[-1] < 1e-3 * values[0]


# ---- the step back ----


def joint_given_x0(beta: list[float], x0: float, s: int, t: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance of (x_s, x_t) given x_0, built from the noises of the two stretches."""
    kept_s = math.prod(1 - b for b in beta[:s])
    ratio = math.prod(1 - b for b in beta[s:t])
    rows = [[math.sqrt(1 - kept_s), 0], [math.sqrt(ratio * (1 - kept_s)), math.sqrt(1 - ratio)]]
    offset = torch.tensor([math.sqrt(kept_s) * x0, math.sqrt(ratio * kept_s) * x0], dtype=torch.float64)
    return linear_image(
        torch.tensor(rows, dtype=torch.float64), offset, torch.zeros_like(offset), eye[:2, :2]
    )


@pytest.mark.equation("eq-posterior-mean", "eq-posterior-variance", "eq-posterior-jump")
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("jump", [1, 7])
def test_posterior_is_gaussian_conditioning(name, jump):
    schedule, x0, x_t = SCHEDULES[name], 0.8, -1.3
    observed = torch.tensor([1]), torch.tensor([x_t], dtype=torch.float64)
    for t in (jump + 1, schedule.T // 2, schedule.T):
        joint = joint_given_x0(exact_betas(name), x0, t - jump, t)
        expected, variance = condition(*joint, *observed)
        mean, our_variance = posterior(schedule, torch.tensor([[x0]]), torch.tensor([[x_t]]), t, t - jump)
        assert float(mean) == pytest.approx(float(expected), rel=1e-5)
        assert float(our_variance) == pytest.approx(float(variance), rel=1e-5)


@pytest.mark.equation("eq-posterior-bayes", "eq-posterior-mean", "eq-posterior-variance")
def test_posterior_is_bayes_rule_on_a_grid():
    schedule, t, x0, x_t = linear_schedule(50), 20, 0.9, -0.4
    grid = torch.linspace(-6, 6, 20_001, dtype=torch.float64)
    kept, beta = float(schedule.alpha_bar[t - 1]), float(schedule.beta[t])
    prior = log_bell(grid, math.sqrt(kept) * x0, 1 - kept)
    weight = (prior + log_bell(torch.tensor(x_t), math.sqrt(1 - beta) * grid, beta)).exp()
    weight /= torch.trapezoid(weight, grid)
    mean = torch.trapezoid(weight * grid, grid)
    variance = torch.trapezoid(weight * (grid - mean) ** 2, grid)
    ours, our_variance = posterior(schedule, torch.tensor([[x0]]), torch.tensor([[x_t]]), t)
    assert float(ours) == pytest.approx(float(mean), rel=1e-5)
    assert float(our_variance) == pytest.approx(float(variance), rel=1e-5)
    bayes = log_bell(grid, float(ours), float(our_variance)).exp()
    torch.testing.assert_close(bayes, weight, rtol=1e-4, atol=1e-6)


@pytest.mark.equation("eq-posterior-variance")
@every_schedule
def test_the_last_step_back_adds_no_noise(schedule):
    x0, x_t = images(3), images(3, seed=1)
    for t in (1, schedule.T):
        mean, variance = posterior(schedule, x0, x_t, t, 0)
        torch.testing.assert_close(mean, x0)
        assert (variance == 0).all()
    times = torch.arange(2, schedule.T + 1)
    zero = torch.zeros(len(times), 1)
    variances = posterior(schedule, zero, zero, times)[1].flatten()
    assert (variances > 0).all()
    # Equal only to rounding, where 1 − ᾱ is 1 in float32.
    assert (variances <= schedule.beta[2:]).all()
    assert (variances < schedule.beta[2:])[: schedule.T // 2].all()


@pytest.mark.equation("eq-posterior-mean-noise")
@every_schedule
def test_posterior_mean_in_terms_of_the_noise(schedule):
    """It is the posterior mean for the x_0 that belongs to the noise."""
    x0, noise = images(5).double(), images(5, seed=1).double()
    top = schedule.T // 2
    t = torch.tensor([1, 2, top // 2, top - 1, top])
    x_t = q_sample(schedule, x0, t, noise)
    for s in (t - 1, t // 2):
        mean, _ = posterior(schedule, x0, x_t, t, s)
        torch.testing.assert_close(
            posterior_mean_from_noise(schedule, noise, x_t, t, s), mean, rtol=1e-4, atol=1e-5
        )


# ---- ε, x_0 and v ----


@pytest.mark.equation("eq-x0-from-noise", "eq-velocity-inverse")
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers(0, 5), st.sampled_from(sorted(SCHEDULES)))
def test_the_three_descriptions_of_a_noisy_image_are_inverses(t, seed, name):
    schedule = SCHEDULES[name]
    t = torch.full((4,), min(t, int(0.7 * schedule.T)))
    x0, noise = images(4, seed), images(4, seed + 100)
    x_t, v = q_sample(schedule, x0, t, noise), velocity(schedule, x0, t, noise)
    # Dividing by √ᾱ, and by √(1 − ᾱ), makes rounding larger by that factor.
    small = float(torch.minimum(schedule.alpha_bar[t], schedule.one_minus_alpha_bar[t]).sqrt().min())
    allowed = {"rtol": 0, "atol": 4e-6 / small}
    torch.testing.assert_close(x0_from_noise(schedule, x_t, t, noise), x0, **allowed)
    torch.testing.assert_close(noise_from_x0(schedule, x_t, t, x0), noise, **allowed)
    torch.testing.assert_close(x0_from_velocity(schedule, x_t, t, v), x0, rtol=0, atol=4e-6)
    torch.testing.assert_close(noise_from_velocity(schedule, x_t, t, v), noise, rtol=0, atol=4e-6)


@pytest.mark.equation("eq-velocity-inverse")
def test_v_turns_signal_and_noise_by_a_right_angle():
    """(x_t, v) is (x_0, ε) rotated, so lengths are kept."""
    schedule = cosine_schedule(100)
    x0, noise = images(6), images(6, seed=1)
    t = torch.tensor([1, 10, 30, 60, 90, 100])
    x_t, v = q_sample(schedule, x0, t, noise), velocity(schedule, x0, t, noise)
    torch.testing.assert_close(x_t**2 + v**2, x0**2 + noise**2, rtol=1e-5, atol=1e-5)


# ---- against diffusers ----


@pytest.mark.parametrize(("ours", "beta_schedule"), [("linear", "linear"), ("cosine", "squaredcos_cap_v2")])
def test_agrees_with_diffusers(ours, beta_schedule):
    schedule = SCHEDULES[ours]
    theirs = DDPMScheduler(beta_schedule=beta_schedule, beta_start=1e-4, beta_end=0.02, clip_sample=False)
    x0, noise = images(6), images(6, seed=1)
    t = torch.tensor([1, 2, 250, 600, 990, 1000])
    close = {"rtol": 1e-4, "atol": 1e-6}
    torch.testing.assert_close(q_sample(schedule, x0, t, noise), theirs.add_noise(x0, noise, t - 1), **close)
    torch.testing.assert_close(
        velocity(schedule, x0, t, noise), theirs.get_velocity(x0, noise, t - 1), **close
    )
    for time in (2, 250, 600, 990, 1000):
        mean, variance = posterior(schedule, x0, noise, time)
        torch.testing.assert_close(variance.squeeze(), theirs._get_variance(time - 1), rtol=1e-4, atol=1e-8)
        step = theirs.step(noise, time - 1, x0, generator=torch.Generator().manual_seed(0))
        # Their step uses its own x̂_0; from the same x̂_0 our posterior must centre the same draw.
        mean, variance = posterior(schedule, step.pred_original_sample, x0, time)
        drawn = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(mean + variance.sqrt() * drawn, step.prev_sample, rtol=1e-4, atol=1e-4)


# ---- shapes, precision, errors ----


def test_one_time_per_image_equals_image_by_image():
    schedule, x0, noise = SCHEDULES["linear"], images(3), images(3, seed=1)
    t = torch.tensor([1, 400, 1000])
    together = q_sample(schedule, x0, t, noise)
    mean, variance = posterior(schedule, x0, noise, t)
    assert variance.shape == (3, 1, 1, 1)
    for i, time in enumerate(t.tolist()):
        one = slice(i, i + 1)
        torch.testing.assert_close(q_sample(schedule, x0[one], time, noise[one]), together[one])
        torch.testing.assert_close(posterior(schedule, x0[one], noise[one], time)[0], mean[one])


@pytest.mark.parametrize("t", [300, torch.tensor([3, 300])])
def test_stays_float32_under_autocast_and_from_half_precision(t):
    schedule, x0, noise = SCHEDULES["linear"], images(2), images(2, seed=1)
    plain = q_sample(schedule, x0, t, noise)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(q_sample(schedule, x0, t, noise), plain)
    half = q_sample(schedule, x0.bfloat16(), t, noise.bfloat16())
    assert half.dtype == torch.float32


@pytest.mark.parametrize("t", [0, 31, torch.tensor([0, 5]), torch.tensor([5, 31])])
def test_times_outside_the_process_are_refused(t):
    schedule, x = SCHEDULES["short"], images(2)
    for call in (marginal, posterior, transition):
        arguments = (x, x, t) if call is posterior else (x, t)
        with pytest.raises(ScheduleError, match="outside 1 … 30"):
            call(schedule, *arguments)
    for convert in (q_sample, velocity, x0_from_noise, noise_from_x0, x0_from_velocity, noise_from_velocity):
        with pytest.raises(ScheduleError, match="outside 1 … 30"):
            convert(schedule, x, t, x)


# ---- where the sources slip ----


@pytest.mark.slip(1)
def test_chaining_the_printed_recursion_leaves_the_process():
    """Source 002 (4) has X_{t−2} on the left, with the three factors that lead from X_{t−3} to X_t."""
    schedule = linear_schedule(1000)
    t, x = 1000, torch.ones(1, 1)
    right = math.prod(float(schedule.alpha[time]) for time in (t, t - 1, t - 2))
    mean_t, variance_t = transition(schedule, x, t, t - 3)
    assert float(mean_t) == pytest.approx(math.sqrt(right), rel=1e-6)
    assert float(variance_t) == pytest.approx(1 - right, rel=1e-4)
    # What leads from X_{t−3} to X_{t−2} is one step, with about a third of that noise.
    _, one_step = transition(schedule, x, t - 2, t - 3)
    assert float(variance_t / one_step) == pytest.approx(2.94, abs=0.01)


@pytest.mark.slip(2)
def test_with_a_single_step_s_alpha_the_last_image_is_the_original():
    schedule = linear_schedule(1000)
    printed, corrected = float(schedule.alpha[1000].sqrt()), float(schedule.alpha_bar[1000].sqrt())
    assert printed == pytest.approx(0.990, abs=5e-4)
    assert corrected == pytest.approx(0.0064, abs=5e-5)
    # What a thousand steps without their noise leave of the original, and what one jump leaves.
    x0 = images(200)
    walked = x0.double()
    for beta in exact_betas("linear"):
        walked = math.sqrt(1 - beta) * walked
    jumped = q_sample(schedule, x0, 1000, torch.zeros_like(x0)).double()
    torch.testing.assert_close(jumped, walked, rtol=1e-3, atol=0)
    torch.testing.assert_close(jumped, corrected * x0.double(), rtol=1e-3, atol=0)
    assert (printed * x0 - walked).norm() > 0.98 * x0.norm()


@pytest.mark.slip(3)
@pytest.mark.equation("eq-x0-from-noise", "eq-posterior-mean-noise")
def test_what_is_printed_as_x0_is_the_mean_of_the_step_back():
    """Source 002 (9) gives (x_t − β_t/√(1 − ᾱ_t) ε)/√α_t as X_0; it is the posterior mean."""
    schedule, t = linear_schedule(1000), 500
    x0, noise = images(50), images(50, seed=1)
    x_t = q_sample(schedule, x0, t, noise)
    alpha, beta = schedule.alpha[t], schedule.beta[t]
    with_bar = (x_t - beta / schedule.one_minus_alpha_bar[t].sqrt() * noise) / alpha.sqrt()
    torch.testing.assert_close(with_bar, posterior(schedule, x0, x_t, t)[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(x0_from_noise(schedule, x_t, t, noise), x0, rtol=0, atol=1e-4)
    assert float((with_bar - x0).square().mean().sqrt()) > 0.5


@pytest.mark.slip(7)
@pytest.mark.equation("eq-posterior-mean-noise")
def test_the_sampling_step_without_the_bar_takes_away_too_much_noise():
    """Source 004 divides β_t by √(1 − α_t); since 1 − α_t = β_t the step takes away √β_t of the noise."""
    schedule, t = cosine_schedule(1000), 500
    x0, noise = images(50), images(50, seed=1)
    x_t = q_sample(schedule, x0, t, noise)
    printed = (x_t - schedule.beta[t] / (1 - schedule.alpha[t]).sqrt() * noise) / schedule.alpha[t].sqrt()
    exact = posterior_mean_from_noise(schedule, noise, x_t, t)
    torch.testing.assert_close(exact, posterior(schedule, x0, x_t, t)[0], rtol=1e-4, atol=1e-5)
    removed = float(
        (x_t - schedule.alpha[t].sqrt() * printed).norm() / (x_t - schedule.alpha[t].sqrt() * exact).norm()
    )
    assert removed == pytest.approx(12.6, abs=0.2)


@pytest.mark.slip(13)
def test_noise_scaled_by_its_variance_has_the_wrong_law():
    """Source 004 sets b_t = (1 − ᾱ_t) σ² and then y = a_t x + b_t ε, which needs a standard deviation."""
    schedule, t, sigma = linear_schedule(1000), 200, 0.05
    walked = 0.0  # the variance of y, as step after step adds noise of deviation σ
    for beta in exact_betas("linear")[:t]:
        walked = (1 - beta) * walked + beta * sigma**2
    b = float(schedule.one_minus_alpha_bar[t]) * sigma**2
    noise = torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = noise / noise.square().mean().sqrt()
    printed, corrected = ((factor * noise).square().mean() for factor in (b, math.sqrt(b)))
    assert float(corrected) == pytest.approx(walked, rel=1e-4)
    assert math.sqrt(walked / float(printed)) == pytest.approx(34.4, abs=0.5)


@pytest.mark.slip(20)
def test_noise_on_the_last_step_stays_in_the_sample():
    """Source 004 adds √β_t z on every step, the one to x_0 too; the exact step there has variance 0."""
    x0, noise, z = images(500), images(500, seed=1), images(500, seed=2)
    for schedule, std in ((linear_schedule(1000), 0.01), (cosine_schedule(1000), 0.0064)):
        x_1 = q_sample(schedule, x0, 1, noise)
        mean = posterior_mean_from_noise(schedule, noise, x_1, 1)
        printed = mean + schedule.beta[1].sqrt() * z
        _, variance = posterior(schedule, x0, x_1, 1)
        assert float((printed - x0).std()) == pytest.approx(std, rel=0.03)
        torch.testing.assert_close(mean + variance.sqrt() * z, x0, rtol=0, atol=1e-5)
