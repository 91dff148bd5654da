"""Samplers with exact denoisers: the law that comes out is known, and no network is trained."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.diffusion import (
    Denoiser,
    Schedule,
    ScheduleError,
    cosine_schedule,
    draw_times,
    exact_denoiser,
    linear_schedule,
    q_sample,
)
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.samplers import (
    ancestral,
    ancestral_mean,
    ancestral_variances,
    ddim,
    ddim_sigma,
    dpm_solver,
    inpaint,
    spaced_times,
    walk,
)
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal

LINEAR = linear_schedule(1000)
SAMPLERS = {"ancestral": ancestral, "ddim": ddim, "dpm": dpm_solver}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


def gaussian(variance: float | list[float]) -> GaussianMixture:
    mean = torch.tensor([[0.7, -1.2]], dtype=torch.float64)
    spread = torch.diag(torch.as_tensor(variance, dtype=torch.float64).expand(2))
    return GaussianMixture(torch.ones(1, dtype=torch.float64), mean, spread[None])


def mixture() -> GaussianMixture:
    means = torch.tensor([[-1.5, 0.0], [1.0, 1.0], [0.5, -1.5]], dtype=torch.float64)
    return GaussianMixture.isotropic(means, 0.25, torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64))


def start(law: GaussianMixture, t: int) -> tuple[torch.Tensor, torch.Tensor]:
    noisy = law.diffused(alpha_bar_at(LINEAR, t))
    return noisy.mean(), noisy.covariance()


def law_after(
    sampler: Callable[..., torch.Tensor],
    denoiser: Denoiser,
    schedule: Schedule,
    times: Sequence[int],
    mean: torch.Tensor,
    covariance: torch.Tensor,
    **own: object,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance at the end of a walk that starts from N(mean, covariance), exact up to rounding.

    With Gaussian data every step is x_s = A x_t + b + σ z: A, b and σ are read off it.
    """
    d = len(mean)
    points = torch.cat([torch.zeros(1, d), torch.eye(d)]).to(mean)
    for t, s in pairwise(times):

        def step(seed: int, pair: tuple[int, int] = (t, s)) -> torch.Tensor:
            generator = torch.Generator().manual_seed(seed)
            return sampler(denoiser, schedule, points, pair, generator=generator, **own)

        z1, z2 = (
            torch.randn(points.shape, generator=torch.Generator().manual_seed(seed), dtype=mean.dtype)
            for seed in (1, 2)
        )
        first = step(1)
        sigma = float(((first - step(2)) / (z1 - z2)).mean())
        quiet = first - sigma * z1
        matrix = (quiet[1:] - quiet[0]).T
        mean = matrix @ mean + quiet[0]
        covariance = matrix @ covariance @ matrix.T + sigma**2 * torch.eye(d).to(mean)
    return mean, covariance


# ---- times ----


@given(st.integers(1, 3000).flatmap(lambda T: st.tuples(st.just(T), st.integers(1, T))))
def test_times_go_from_T_to_0_in_even_steps(case):
    T, steps = case
    times = spaced_times(T, steps)
    gaps = {a - b for a, b in pairwise(times)}
    assert times[0] == T
    assert times[-1] == 0
    assert len(times) == steps + 1
    assert gaps <= {T // steps, T // steps + 1}


@pytest.mark.parametrize("steps", [0, -1, 11])
def test_more_steps_than_times_are_refused(steps):
    with pytest.raises(ScheduleError, match=rf"1 … 10 steps, not in {steps}"):
        spaced_times(10, steps)


def test_every_sampling_time_is_a_training_time():
    trained = draw_times(4000, 20, torch.Generator().manual_seed(0))
    assert set(trained.tolist()) == set(range(1, 21)) == set(spaced_times(20, 20)[:-1])


@every_sampler
def test_a_sampler_starts_at_T_and_asks_only_trained_times(sampler):
    asked = []

    def denoiser(x, t, y=None):
        asked.extend(t.unique().tolist())
        return torch.zeros_like(x)

    sampler(denoiser, LINEAR, normal(2, 1), spaced_times(1000, 7))
    assert asked == spaced_times(1000, 7)[:-1]
    assert asked[0] == 1000


@every_sampler
@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "at least two"),
        ([1001, 0], r"0 … 1000"),
        ([5, -1], r"0 … 1000"),
        ([9, 9, 0], "decrease"),
        ([5, 7, 0], "decrease"),
    ],
)
def test_impossible_times_are_named(sampler, times, message):
    with pytest.raises(ScheduleError, match=message):
        sampler(exact_denoiser(mixture(), LINEAR), LINEAR, normal(2, 2), times)


# ---- ancestral sampling ----


@pytest.mark.equation("eq-ancestral-step")
@pytest.mark.parametrize("steps", [5, 50])
def test_large_variance_is_exact_for_data_of_variance_one(steps):
    law, times = gaussian(1.0), spaced_times(1000, steps)
    mean, _ = law_after(
        ancestral, exact_denoiser(law, LINEAR), LINEAR, times, *start(law, 1000), variance="large"
    )
    # All but the last step: that one adds no noise, so that it gives the mean of x_0 and not a draw.
    torch.testing.assert_close(mean, law.mean())
    before = law_after(
        ancestral, exact_denoiser(law, LINEAR), LINEAR, times[:-1], *start(law, 1000), variance="large"
    )
    for got, wanted in zip(before, start(law, times[-2]), strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.equation("eq-ancestral-step")
@pytest.mark.parametrize("steps", [1, 5, 50])
def test_small_variance_is_exact_for_a_single_point(steps):
    law, times = gaussian(1e-12), spaced_times(1000, steps)
    denoiser = exact_denoiser(law, LINEAR)
    for stop in sorted({2, 1 + steps // 2, 1 + steps} - {1}):
        mean, covariance = law_after(ancestral, denoiser, LINEAR, times[:stop], *start(law, 1000))
        wanted = start(law, times[stop - 1]) if times[stop - 1] else (law.mean(), 0 * covariance)
        torch.testing.assert_close(mean, wanted[0], atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(covariance, wanted[1], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("variance", [0.04, 0.3])
def test_the_right_variance_between_the_two_makes_few_steps_exact(variance):
    """The variance of q(x_s | x_t) for Gaussian data, given as v, leaves no error at all."""
    law, times = gaussian(variance), spaced_times(1000, 4)
    noise = exact_denoiser(law, LINEAR)
    true_variance = {}
    for t, s in walk(LINEAR, times[:-1]):
        kept, prior = (t.signal / s.signal) ** 2, s.signal**2 * variance + s.sigma**2
        beta = 1 - kept
        small, large = ancestral_variances(t, s)
        right = prior * beta / (kept * prior + beta)  # Gaussian prior × likelihood
        true_variance[t.t] = 2 * math.log(right / small) / math.log(large / small) - 1
        assert -1 < true_variance[t.t] < 1

    def denoiser(x, t, y=None):
        v = torch.full_like(x, true_variance[int(t[0])])
        return torch.cat([noise(x, t), v], dim=1)

    got = law_after(ancestral, denoiser, LINEAR, times[:-1], *start(law, 1000), variance="learned")
    for value, wanted in zip(got, start(law, times[-2]), strict=True):
        torch.testing.assert_close(value, wanted)


@pytest.mark.equation("eq-ancestral-step")
@pytest.mark.parametrize("variance", ["small", "large"])
def test_moments_of_a_full_walk_are_those_of_the_data(variance):
    law = gaussian([0.09, 2.0])
    zero, one = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    mean, covariance = law_after(
        ancestral,
        exact_denoiser(law, LINEAR),
        LINEAR,
        spaced_times(1000, 250),
        zero,
        one,
        variance=variance,
    )
    torch.testing.assert_close(mean, law.mean(), atol=0.03, rtol=0)
    torch.testing.assert_close(covariance, law.covariance(), atol=0.03, rtol=0.03)


def energy_test(x: torch.Tensor, y: torch.Tensor, permutations: int = 199) -> float:
    """p-value of the energy distance between two samples, by permuting who belongs to which."""
    both, n = torch.cat([x, y]), len(x)
    distance = torch.cdist(both, both)
    generator = torch.Generator().manual_seed(0)

    def statistic(order: torch.Tensor) -> float:
        sign = torch.where(torch.arange(len(both)) < n, 1.0, -1.0).to(both)[order]
        return -float(sign @ distance @ sign)

    observed = statistic(torch.arange(len(both)))
    null = [statistic(torch.randperm(len(both), generator=generator)) for _ in range(permutations)]
    return (1 + sum(value >= observed for value in null)) / (1 + permutations)


@pytest.mark.slow
@pytest.mark.parametrize("variance", ["small", "large"])
def test_ancestral_sampling_reproduces_the_law_of_the_data(variance):
    law, generator = mixture(), torch.Generator().manual_seed(3)
    schedule = cosine_schedule(400)
    denoiser, data = exact_denoiser(law, schedule), law.sample(800, torch.Generator().manual_seed(4))
    full = ancestral(
        denoiser, schedule, normal(800, 2), spaced_times(400, 400), generator=generator, variance=variance
    )
    assert energy_test(full, data) > 0.05
    # The test can tell: a walk of a few steps has another law.
    few = ancestral(
        denoiser, schedule, normal(800, 2), spaced_times(400, 3), generator=generator, variance=variance
    )
    assert energy_test(few, data) < 0.02


def test_with_a_label_all_samples_are_of_that_component():
    law, schedule = mixture(), cosine_schedule(100)
    y = torch.arange(300) % 3
    x = ancestral(
        exact_denoiser(law, schedule),
        schedule,
        normal(300, 2),
        spaced_times(100, 100),
        y=y,
        generator=torch.Generator().manual_seed(0),
    )
    assert torch.equal(law.responsibilities(x).argmax(1), y)
    assert ((x - law.means[y]).norm(dim=1) < 5 * 0.25).all()


def test_the_mean_of_a_step_is_the_schedules_posterior_mean():
    from gdmcourse.diffusion import posterior

    x0, x_t = normal(4, 3), normal(4, 3, seed=1)
    for t, s in ((700, 699), (700, 20), (2, 1), (1, 0)):
        ((a, b),) = walk(LINEAR, [t, s])
        mean, variance = posterior(LINEAR, x0, x_t, t, s)
        torch.testing.assert_close(ancestral_mean(x_t, x0, a, b), mean, atol=1e-6, rtol=1e-5)
        assert ancestral_variances(a, b)[0] == pytest.approx(float(variance.squeeze()), rel=1e-4, abs=1e-9)


def test_an_unknown_variance_is_named():
    with pytest.raises(ValueError, match="'tiny'"):
        ancestral(exact_denoiser(mixture(), LINEAR), LINEAR, normal(2, 2), [1000, 0], variance="tiny")


# ---- DDIM ----


@pytest.mark.equation("eq-ddim-marginal")
@pytest.mark.parametrize("eta", [0.0, 0.3, 0.8, 1.0])
def test_every_eta_keeps_the_marginals(eta):
    """Given x_0, x_t ~ q(x_t | x_0) becomes x_s ~ q(x_s | x_0), whatever the step."""
    law, times = gaussian(1e-12), [1000, 700, 650, 90, 3, 1]
    denoiser = exact_denoiser(law, LINEAR)
    for stop in range(2, len(times) + 1):
        got = law_after(ddim, denoiser, LINEAR, times[:stop], *start(law, 1000), eta=eta)
        for value, wanted in zip(got, start(law, times[stop - 1]), strict=True):
            torch.testing.assert_close(value, wanted, atol=1e-7, rtol=1e-5)


@pytest.mark.equation("eq-ddim-marginal")
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_every_eta_gives_the_data_in_small_steps(eta):
    law = gaussian([0.09, 2.0])
    denoiser = exact_denoiser(law, LINEAR)
    errors = []
    for steps in (50, 200):
        got = law_after(ddim, denoiser, LINEAR, spaced_times(1000, steps), *start(law, 1000), eta=eta)
        torch.testing.assert_close(got[0], law.mean(), atol=0.05, rtol=0)
        errors.append((got[1] - law.covariance()).abs().max())
    assert errors[1] < 0.08
    assert errors[1] < errors[0] / 2.5


@pytest.mark.equation("eq-ddim-step", "eq-ddim-ancestral")
def test_ddim_at_eta_one_is_ancestral_sampling():
    denoiser, times = exact_denoiser(mixture(), LINEAR), spaced_times(1000, 30)
    one, two = (
        sampler(
            denoiser,
            LINEAR,
            normal(50, 2),
            times,
            generator=torch.Generator().manual_seed(7),
            clip=1.0,
            **own,
        )
        for sampler, own in ((ddim, {"eta": 1.0}), (ancestral, {}))
    )
    torch.testing.assert_close(one, two)


def test_eta_outside_the_family_is_refused():
    denoiser = exact_denoiser(mixture(), LINEAR)
    with pytest.raises(ValueError, match=r"eta = -0\.1"):
        ddim(denoiser, LINEAR, normal(2, 2), [1000, 500, 0], eta=-0.1)
    with pytest.raises(ValueError, match="eta = 3"):
        ddim(denoiser, LINEAR, normal(2, 2), [1000, 500, 0], eta=3.0)


def test_the_noise_of_a_ddim_step_has_its_formula():
    ((t, s),) = walk(LINEAR, [400, 300])
    a_t, a_s = alpha_bar_at(LINEAR, 400), alpha_bar_at(LINEAR, 300)
    wanted = 0.7 * math.sqrt((1 - a_s) / (1 - a_t)) * math.sqrt(1 - a_t / a_s)
    assert ddim_sigma(t, s, 0.7) == pytest.approx(wanted, rel=1e-9)


# ---- all ----


@every_sampler
def test_the_last_step_adds_no_noise(sampler):
    """From the last noisy time to 0 two different generators give the same, which is the denoised image."""
    law = mixture()
    denoiser, x = exact_denoiser(law, LINEAR), normal(20, 2)
    one, two = (
        sampler(denoiser, LINEAR, x, [30, 0], generator=torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    )
    assert torch.equal(one, two)
    torch.testing.assert_close(one, law.denoise(x, alpha_bar_at(LINEAR, 30)), atol=1e-6, rtol=1e-6)


@every_sampler
def test_a_walk_from_the_middle_restores_a_noisy_image(sampler):
    law = GaussianMixture.isotropic(normal(3, 2) * 5, 0.05)
    x0 = law.sample(40, torch.Generator().manual_seed(1))
    x_t = q_sample(LINEAR, x0, 100, normal(40, 2, seed=5))
    times = [time for time in spaced_times(1000, 100) if time <= 100]
    x = sampler(exact_denoiser(law, LINEAR), LINEAR, x_t, times, generator=torch.Generator().manual_seed(0))
    assert (x - x0).norm(dim=1).max() < 0.4


@every_sampler
def test_clipping_keeps_the_result_inside(sampler):
    law = GaussianMixture.isotropic(torch.tensor([[2.0, -2.0]], dtype=torch.float64), 0.1)
    x = sampler(exact_denoiser(law, LINEAR), LINEAR, normal(9, 2), spaced_times(1000, 20), clip=1.0)
    assert x.abs().max() <= 1


# ---- inpainting ----


def test_inpainting_keeps_what_is_known_and_fits_the_rest_to_it():
    """Two far components: the known coordinate tells which one, and the other coordinate must follow."""
    means = torch.tensor([[-2.0, 2.0], [2.0, -2.0]], dtype=torch.float64)
    law = GaussianMixture.isotropic(means, 0.2)
    known, labels = law.sample_with_labels(200, torch.Generator().manual_seed(0))
    mask = torch.tensor([1.0, 0.0], dtype=torch.float64)
    x = inpaint(
        exact_denoiser(law, LINEAR), LINEAR, normal(200, 2), spaced_times(1000, 100),
        known=known, mask=mask, repeats=3, generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    assert torch.equal(x[:, 0], known[:, 0])
    right = law.responsibilities(x).argmax(1) == labels
    assert right.double().mean() > 0.97
    assert x[right, 1].sub(means[labels[right], 1]).std() == pytest.approx(0.2, abs=0.06)


def test_inpainting_refuses_what_does_not_fit():
    denoiser, x = exact_denoiser(mixture(), LINEAR), normal(2, 2)
    with pytest.raises(ValueError, match="one shape"):
        inpaint(denoiser, LINEAR, x, [10, 0], known=normal(3, 2), mask=torch.ones(2))
    with pytest.raises(ValueError, match="repeats"):
        inpaint(denoiser, LINEAR, x, [10, 0], known=x, mask=torch.ones(2), repeats=0)
