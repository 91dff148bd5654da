"""Claims of the chapter on flow matching whose formulas stand on the page."""

import math

import numpy
import pytest
import torch

from gdmcourse.diffusion import cosine_schedule, exact_denoiser
from gdmcourse.diffusion.edm import karras_sigmas
from gdmcourse.diffusion.flow import exact_flow, flow_clock, interpolate, noise_from_flow, x0_from_flow
from gdmcourse.diffusion.samplers import ddim
from gdmcourse.diffusion.samplers.flow import euler, flow_times, heun
from gdmcourse.diffusion.straightness import straightness
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal

close = torch.testing.assert_close
LINE = GaussianMixture.isotropic(
    torch.tensor([[-1.5], [0.5], [2.0]], dtype=torch.float64), 0.4, torch.tensor([0.3, 0.3, 0.4]).double()
)


def test_the_small_example():
    """Two points, t = ½, at 0.5: −1 and 3, the first e² times as likely."""
    two = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]], dtype=torch.float64), 1e-6)
    half = torch.full((1,), 0.5, dtype=torch.float64)
    wanted = (3 - math.exp(2)) / (1 + math.exp(2))
    assert exact_flow(two)(half[:, None], half).item() == pytest.approx(wanted, abs=1e-6)
    assert wanted == pytest.approx(-0.52, abs=0.005)


@pytest.mark.equation("eq-path-weight")
def test_one_error_in_three_forms():
    x, t = normal(7, 3), torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
    v, other = normal(7, 3, seed=1), normal(7, 3, seed=2)
    error = (v - other).square().sum(1)
    for guess, scale in ((x0_from_flow, t), (noise_from_flow, 1 - t)):
        close((guess(x, v, t) - guess(x, other, t)).square().sum(1) / scale**2, error)


@pytest.mark.equation("eq-path-euler")
def test_a_step_of_eulers_method_is_ddims_step():
    """From one noise level to another, through each other's scale; and a second-order step is not."""
    schedule = cosine_schedule(1000)
    here, there = schedule.noise_levels([700, 250])
    (t, c), (r, d) = flow_clock(here.log_alpha_bar), flow_clock(there.log_alpha_bar)
    x, times = normal(9, 1), [700, 250]
    by_ddim = ddim(exact_denoiser(LINE, schedule), schedule, x, times)
    close(euler(exact_flow(LINE), c * x, [t, r]) / d, by_ddim, atol=1e-6, rtol=1e-6)
    assert (heun(exact_flow(LINE), c * x, [t, r]) / d - by_ddim).abs().max() > 0.01


@pytest.mark.equation("eq-path-cosine")
def test_the_loss_is_that_of_the_cosine_schedule_and_the_other_velocity():
    """Any error of the noise as a function of the level, by quadrature on both clocks."""
    phi = torch.linspace(1e-4, math.pi / 2 - 1e-4, 200_001, dtype=torch.float64)
    a, b = phi.cos(), phi.sin()
    wrong = a * (1.5 + (3 * phi).sin())  # so that the integrals end at both sides
    image = -b / a * wrong
    velocity = a * wrong - b * image
    t = b / (a + b)
    by_flow = torch.trapezoid((wrong - image) ** 2, t)
    close(by_flow, torch.trapezoid(velocity**2, phi), atol=1e-6, rtol=1e-6)
    assert by_flow > 1.1 * torch.trapezoid(wrong**2, t)


def test_where_the_three_lists_of_times_lie():
    """Beyond σ = 2, t = ⅔: a third of the even times, half or more of the others."""
    for n in (5, 9, 18):
        beyond = [sum(t > 2 / 3 for t in flow_times(n, shift=s)[:-1]) / n for s in (1.0, 3.0)]
        beyond.append(sum(sigma > 2 for sigma in karras_sigmas(n)[:-1]) / n)
        assert beyond[0] < 0.45
        assert min(beyond[1:]) >= 0.5


def test_straightness_of_a_gaussian_is_the_integral_of_its_bend():
    """z_t = κ_t z_1, so S = ∫ (1 − s − κ′)² dt, by quadrature with κ′ from autograd."""
    s = 0.3
    z = normal(4000, 1)
    got = straightness(
        exact_flow(GaussianMixture.isotropic(torch.zeros(1, 1).double(), s)), z, flow_times(200)
    )
    t = torch.linspace(0, 1, 20001, dtype=torch.float64, requires_grad=True)
    ((1 - t) ** 2 * s**2 + t**2).sqrt().sum().backward()
    bend = torch.trapezoid((1 - s - t.grad) ** 2, t.detach())
    assert got.item() == pytest.approx((bend * z.square().mean()).item(), rel=0.01)
    assert bend > 0.05


def pairs(n=1500):
    z_1 = normal(n, 1)
    return heun(exact_flow(LINE), z_1, [t**2 for t in flow_times(60)]), z_1


@pytest.mark.equation("eq-reflow")
@pytest.mark.parametrize("cost", [torch.square, torch.abs, lambda d: (3 * d).exp()], ids=["2", "1", "exp"])
def test_no_convex_cost_of_the_way_grows(cost):
    """Against all pairs of ends with starts, which is the independent coupling of the same two samples."""
    z_0, z_1 = pairs()
    by_chance = cost(z_1 - z_0.T).mean()
    assert cost(z_1 - z_0).mean() < 0.9 * by_chance


@pytest.mark.equation("eq-reflow-line")
def test_on_a_line_the_new_lines_do_not_cross_and_one_step_is_exact():
    """The rank of the point on its line is that of its start, at every time; so the average is its own."""
    z_0, z_1 = pairs()
    order = z_1[:, 0].argsort()
    for t in (0.1, 0.5, 0.9):
        x_t = interpolate(z_0, z_1, t)[:, 0]
        assert (x_t[order].diff() > 0).all()

    def learned(ends):
        """What a perfect network would learn: the velocity of the line at that place."""

        def velocity(x, t, y=None):
            place = interpolate(ends, z_1, t[0].item())[:, 0]
            o = place.argsort()
            found = numpy.interp(x[:, 0], place[o], (z_1 - ends)[o, 0])
            return torch.from_numpy(found)[:, None]

        return velocity

    assert straightness(learned(z_0), z_1, flow_times(40)) < 1e-6
    assert straightness(exact_flow(LINE), z_1, flow_times(40)) > 0.01
    assert straightness(learned(z_0.flip(0)), z_1, flow_times(40)) > 0.1


def test_one_step_of_euler_is_the_mean_of_the_data():
    ends = euler(exact_flow(LINE), normal(5, 1), [1.0, 0.0])
    close(ends, LINE.mean().expand(5, 1))
