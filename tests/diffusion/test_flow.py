"""Flow matching against exact mixtures, against finite data, and against the diffusion that it is."""

import math

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from gdmcourse.diffusion import cosine_schedule, exact_denoiser
from gdmcourse.diffusion.flow import (
    exact_flow,
    flow_clock,
    flow_from_x0,
    flow_matching_loss,
    interpolate,
    noise_from_flow,
    x0_from_flow,
)
from gdmcourse.diffusion.samplers import ddim, spaced_times
from gdmcourse.diffusion.samplers.flow import euler, flow_times, heun
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal

close = torch.testing.assert_close
LINE = GaussianMixture.isotropic(
    torch.tensor([[-1.5], [0.5], [2.0]]).double(), 0.4, torch.tensor([0.3, 0.3, 0.4]).double()
)
PLANE = GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[-1.0, 0.5], [1.5, -0.3]]).double(),
    torch.tensor([[[0.5, 0.2], [0.2, 0.3]], [[0.2, -0.1], [-0.1, 0.4]]]).double(),
)


def law(mixture: GaussianMixture, t: float) -> GaussianMixture:
    """The law of (1 − t) x_0 + t ε, written down without any of the code under test."""
    eye = torch.eye(mixture.means.shape[1]).double()
    return GaussianMixture(
        mixture.weights, (1 - t) * mixture.means, (1 - t) ** 2 * mixture.covariances + t**2 * eye
    )


@pytest.mark.equation("eq-marginal-velocity")
@pytest.mark.parametrize("mixture", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("t", [0.15, 0.5, 0.9])
def test_the_marginal_velocity_carries_the_law_of_the_path(mixture, t):
    """∂p/∂t + div(p v) = 0, divided by p: ∂ log p/∂t + v · ∇ log p + div v = 0."""
    x, h = normal(20, mixture.means.shape[1]), 1e-5
    velocity = exact_flow(mixture)

    def v(points):
        return velocity(points, torch.full((len(points),), t, dtype=torch.float64))

    in_time = (law(mixture, t + h).log_prob(x) - law(mixture, t - h).log_prob(x)) / (2 * h)
    divergence = sum(
        (v(x + h * e) - v(x - h * e))[:, i] / (2 * h) for i, e in enumerate(torch.eye(x.shape[1]).double())
    )
    along = (v(x) * law(mixture, t).score(x)).sum(1)
    close(in_time + along + divergence, torch.zeros(20).double(), atol=2e-6, rtol=0)


@pytest.mark.equation("eq-conditional-matching")
def test_the_conditional_loss_is_least_at_the_marginal_velocity():
    """Data on three points: at one (x, t) the loss of each value is a sum over the points, by Bayes' rule."""
    points = torch.tensor([[-1.0, 0.3], [0.4, 1.2], [2.0, -0.7]]).double()
    x, t = torch.tensor([0.2, 0.1]).double(), 0.6
    log = -((x - (1 - t) * points) ** 2).sum(1) / (2 * t**2)
    posterior = log.softmax(0)
    conditional = (x - (1 - t) * points) / t - points  # ε − x_0 with the ε that leads to x
    marginal = posterior @ conditional

    def loss(value):
        return (posterior * (value - conditional).square().sum(1)).sum()

    spread = loss(marginal)
    for direction in normal(6, 2):
        value = marginal + direction
        close(loss(value), spread + direction.square().sum())
    narrow = GaussianMixture.isotropic(points, 1e-5)
    close(exact_flow(narrow)(x[None], torch.tensor([t]).double())[0], marginal, atol=1e-6, rtol=0)


@pytest.mark.equation("eq-conditional-matching")
def test_the_loss_for_training_is_that_expectation():
    """At the exact velocity of N(0, s²) it is E Var(ε − x_0 | x_t), here by quadrature over t."""
    s = 0.5
    gaussian = GaussianMixture.isotropic(torch.zeros(1, 1).double(), s)
    x0 = gaussian.sample(200_000, torch.Generator().manual_seed(0))
    got = flow_matching_loss()(exact_flow_fast(s), x0, torch.Generator().manual_seed(1))
    t = torch.linspace(0, 1, 4001).double()
    wanted = torch.trapezoid(s**2 / ((1 - t) ** 2 * s**2 + t**2), t)  # (1 + s²) − Cov²/Var
    assert got.item() == pytest.approx(wanted.item(), rel=0.02)


def exact_flow_fast(s):
    """E[ε − x_0 | x_t] for x_0 ~ N(0, s²), all times at once."""

    def velocity(x, t, y=None):
        t = t[:, None]
        return (t - (1 - t) * s**2) / ((1 - t) ** 2 * s**2 + t**2) * x

    return velocity


@pytest.mark.equation("eq-path-guesses")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.99])
def test_velocity_image_and_noise_tell_each_other(t):
    x_t, time = normal(30, 2), torch.full((30,), t, dtype=torch.float64)
    v = exact_flow(PLANE)(x_t, time)
    x0, noise = x0_from_flow(x_t, v, time), noise_from_flow(x_t, v, time)
    close(interpolate(x0, noise, time), x_t)
    close(noise - x0, v)
    close(flow_from_x0(x_t, x0, time), v)
    close(-noise / t, law(PLANE, t).score(x_t), atol=1e-8, rtol=1e-8)


@pytest.mark.equation("eq-path-clock")
@pytest.mark.parametrize("t", [30, 400, 900])
def test_it_is_the_diffusion_at_another_clock(t):
    """The same law up to the scale, and the same guess of the noise at the same point."""
    level = cosine_schedule(1000).noise_levels([t])[0]
    time, scale = flow_clock(level.log_alpha_bar)
    kept = math.exp(level.log_alpha_bar)
    assert scale**2 * kept == pytest.approx((1 - time) ** 2)
    assert scale**2 * (1 - kept) == pytest.approx(time**2)
    x = normal(20, 2)
    times = torch.full((20,), time, dtype=torch.float64)
    noise = noise_from_flow(scale * x, exact_flow(PLANE)(scale * x, times), times)
    close(noise, PLANE.noise(x, kept), atol=1e-7, rtol=1e-7)


@pytest.mark.equation("eq-path-clock")
def test_both_end_at_the_same_image():
    """From one noise, DDIM in many steps and Euler in many steps."""
    schedule = cosine_schedule(1000)
    x_T = normal(10, 2)
    by_ddim = ddim(exact_denoiser(PLANE, schedule), schedule, x_T, spaced_times(1000, 100))
    by_flow = heun(exact_flow(PLANE), x_T, flow_times(50))
    close(by_ddim, by_flow, atol=0.05, rtol=0)
    assert (by_ddim - by_ddim.flip(0)).abs().max() > 1


@pytest.mark.parametrize(("solver", "order"), [(euler, 1), (heun, 2)])
def test_solvers_have_their_order(solver, order):
    """Against a Gaussian's own path; they stop before the data, as the last step of heun is Euler's."""
    x, s, last = normal(10, 1), 0.3, 0.1

    def end(n):
        return solver(exact_flow_fast(s), x, [1 - (1 - last) * i / n for i in range(n + 1)])

    exact = math.hypot((1 - last) * s, last) * x
    errors = [(end(n) - exact).abs().max().item() for n in (40, 80)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


def test_euler_equals_diffusers_on_the_same_times():
    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0)
    scheduler.set_timesteps(sigmas=[1.0, 0.75, 0.4, 0.1])
    velocity, x = exact_flow(PLANE), normal(6, 2)
    theirs = x
    for t in scheduler.timesteps:
        v = velocity(theirs, torch.full((6,), float(t) / 1000, dtype=torch.float64))
        theirs = scheduler.step(v, t, theirs).prev_sample
    close(euler(velocity, x, [*scheduler.sigmas.tolist()]), theirs, atol=1e-5, rtol=1e-5)


def test_a_shift_multiplies_the_odds():
    for plain, moved in zip(flow_times(8)[1:-1], flow_times(8, shift=3.0)[1:-1], strict=True):
        assert moved / (1 - moved) == pytest.approx(3 * plain / (1 - plain))
    assert (flow_times(4, 3.0)[0], flow_times(4, 3.0)[-1]) == (1, 0)


def test_noise_of_another_shape_is_refused_and_not_shared(unchecked):
    with pytest.raises(ValueError, match=r"the noise has shape \(1, 3\), but the images \(2, 3\)"):
        interpolate(normal(2, 3), normal(1, 3), 0.5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: interpolate(normal(2, 1), normal(2, 1), 1.2), "times of a flow lie in"),
        (lambda: flow_from_x0(normal(2, 1), normal(2, 1), 0.0), "times of a flow lie in"),
        (lambda: euler(exact_flow(LINE), normal(2, 1), [1.0]), "at least two times"),
        (lambda: heun(exact_flow(LINE), normal(2, 1), [0.0, 1.0]), "must decrease from noise to data"),
        (lambda: euler(exact_flow(LINE), normal(2, 1), [1.5, 0.0]), "two times in"),
        (lambda: flow_times(0), "at least 1 step"),
        (lambda: flow_times(3, shift=0.0), "shift must be above 0"),
        (lambda: flow_matching_loss(drop=0.1), "say which label stands for none"),
        (lambda: flow_matching_loss(drop=-0.1), "probability of dropping a label lies in"),
        (lambda: exact_flow(LINE)(normal(2, 1), 500 * torch.ones(2)), "times of a flow lie in"),
        (lambda: x0_from_flow(normal(2, 1), normal(2, 1), float("nan")), "times of a flow lie in"),
    ],
)
def test_bad_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
