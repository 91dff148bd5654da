"""Flow maps against the closed form of a Gaussian, and the product in their target by finite differences."""

import pytest
import torch

from gdmcourse.diffusion.flow import exact_flow
from gdmcourse.diffusion.flow_map import draw_jumps, jump, meanflow_loss, meanflow_target
from gdmcourse.diffusion.samplers.flow import flow_times, heun
from gdmcourse.probability import GaussianMixture
from tests.oracles import normal

close = torch.testing.assert_close
MEAN, STD = 0.4, 0.5
GAUSSIAN = GaussianMixture.isotropic(torch.full((1, 2), MEAN, dtype=torch.float64), STD)


def width(t):
    return ((1 - t) ** 2 * STD**2 + t**2).sqrt()


def phi(x, t, r):
    """The Gaussian's flow from t to r: each point keeps its place within the law."""
    return (1 - r) * MEAN + width(r) / width(t) * (x - (1 - t) * MEAN)


def u(x, t, r, y=None):
    """Its mean velocity, and at r = t the velocity itself."""
    gap = (t - r)[:, None]
    t, r = t[:, None], r[:, None]
    v = (t - (1 - t) * STD**2) / width(t) ** 2 * (x - (1 - t) * MEAN) - MEAN
    return torch.where(gap == 0, v, (x - phi(x, t, r)) / torch.where(gap == 0, 1.0, gap))


@pytest.mark.equation("eq-flow-map")
def test_the_closed_form_is_the_solution_of_the_flow():
    x = normal(8, 2)
    times = [0.9 - 0.6 * i / 60 for i in range(61)]
    wanted = heun(exact_flow(GAUSSIAN), x, times)
    close(phi(x, torch.tensor(0.9), torch.tensor(0.3)), wanted, atol=1e-4, rtol=0)
    through = phi(phi(x, torch.tensor(0.9), torch.tensor(0.5)), torch.tensor(0.5), torch.tensor(0.3))
    close(through, phi(x, torch.tensor(0.9), torch.tensor(0.3)))


@pytest.mark.equation("eq-mean-velocity")
def test_the_exact_mean_velocity_is_its_own_target():
    """With the marginal velocity v; and v and u are not the same, so this says something."""
    x, t = normal(8, 2), torch.linspace(0.3, 1.0, 8, dtype=torch.float64)
    r = t * torch.linspace(0.0, 0.9, 8, dtype=torch.float64)
    v = exact_flow(GAUSSIAN)(x, t)
    value, target = meanflow_target(u, x, v, t, r)
    close(value, target, atol=1e-10, rtol=1e-9)
    assert (value - v).abs().max() > 0.1


@pytest.mark.equation("eq-meanflow-target")
def test_with_single_images_the_target_is_right_on_average():
    """At one x_t, over the images that may be behind it: the mean of the targets is the exact one."""
    t, r = 0.7, 0.2
    x_t = torch.tensor([[0.9, -0.3]], dtype=torch.float64)
    kept = (1 - t) ** 2 / ((1 - t) ** 2 + t**2)
    middle = GAUSSIAN.denoise(x_t / (kept**0.5 / (1 - t)) ** -1, kept)
    spread = (STD**-2 + (1 - t) ** 2 / t**2) ** -0.5  # of x_0 given x_t
    x0 = middle + spread * torch.cat([z := normal(500, 2), -z])
    v = (x_t - x0) / t
    many = x_t.repeat(1000, 1)
    full = [torch.full((1000,), time, dtype=torch.float64) for time in (t, r)]
    _, targets = meanflow_target(u, many, v, *full)
    close(targets.mean(0), u(x_t, full[0][:1], full[1][:1])[0], atol=1e-9, rtol=1e-8)


def test_the_product_equals_a_finite_difference():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2)).double()

    def net(x, t, r, y=None):
        return network(torch.cat([x, t[:, None], r[:, None]], dim=1))

    x, v, t = normal(6, 2), normal(6, 2, seed=1), torch.linspace(0.4, 0.9, 6).double()
    r, h = t / 3, 1e-6
    _, target = meanflow_target(net, x, v, t, r)
    change = (net(x + h * v, t + h, r) - net(x - h * v, t - h, r)) / (2 * h)
    close(target, (v - (t - r)[:, None] * change).detach(), atol=1e-8, rtol=1e-7)
    assert not target.requires_grad


def test_jumps_of_the_exact_map_end_where_the_flow_does():
    x = normal(8, 2)
    wanted = phi(x, torch.tensor(1.0), torch.tensor(0.0))
    for steps in (1, 2, 5):
        close(jump(u, x, flow_times(steps)), wanted)


def test_times_are_drawn_in_the_shares_that_are_asked_for():
    t, r = draw_jumps(40_000, torch.Generator().manual_seed(0), equal=0.2, whole=0.3)
    assert (r <= t).all()
    assert r.min() == 0
    assert (r == t).double().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (r == 0).double().mean().item() == pytest.approx(0.3, abs=0.01)
    inner = (r != t) & (r != 0)
    assert (r / t)[inner].mean().item() == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match="sum to 1 at most"):
        draw_jumps(3, torch.Generator(), equal=0.7, whole=0.6)


@pytest.mark.parametrize("times", [[0.0, 1.0], [1.0], [1.5, 0.0]])
def test_a_jump_goes_from_noise_to_data(times):
    with pytest.raises(ValueError, match=r"times|must decrease"):
        jump(u, normal(2, 2), times)


def test_a_teacher_takes_the_place_of_single_images():
    """At the exact map and with the exact velocity nothing is left to learn; with single images something."""
    x0 = GAUSSIAN.sample(64, torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(1)
    with_teacher = meanflow_loss(u, x0, rng, teacher=exact_flow(GAUSSIAN)).item()
    alone = meanflow_loss(u, x0, torch.Generator().manual_seed(1)).item()
    assert with_teacher < 1e-6
    assert alone > 0.5
