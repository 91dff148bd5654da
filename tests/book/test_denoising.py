"""Claims of the chapter on denoising whose formulas stand on the page, not in the library; and its prose."""

import math

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import (
    Schedule,
    cosine_schedule,
    linear_schedule,
    noise_from_velocity,
    noise_from_x0,
    simple_loss,
    velocity,
    x0_from_velocity,
)
from gdmcourse.nn import UNet
from gdmcourse.probability import GaussianMixture, condition, gaussian_kl
from gdmcourse.recipes.ddpm import SCHEDULES as NOISE
from gdmcourse.studies import record
from gdmcourse.studies.number_of_steps import NETWORKS, measure
from gdmcourse.training import EMA
from tests.oracles import bell, gen

close = torch.testing.assert_close
GRID = torch.linspace(-7, 7, 1401, dtype=torch.float64)
STEP = float(GRID[1] - GRID[0])


@pytest.mark.equation("eq-bound-gap")
@pytest.mark.parametrize("x0", [-0.8, 0.5])
def test_the_bound_less_its_gap_is_the_negative_log_likelihood(x0):
    """A linear model of two steps: the bound by quadrature, p(x_0) and p(x_1, x_2 | x_0) by conditioning."""
    x1, x2 = GRID[::4, None], GRID[None, ::4]
    q = bell(x1, math.sqrt(0.7) * x0, 0.3) * bell(x2, math.sqrt(0.5) * x1, 0.5)
    joint = bell(x2, 0.0, 1.0) * bell(x1, 0.6 * x2, 0.5) * bell(x0, 0.9 * x1, 0.3)
    bound = float((q * (q / joint).log()).sum() * (4 * STEP) ** 2)
    # x_2, x_1 and x_0 of the model are these sums of independent standard normal numbers.
    parts = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.5**0.5, 0.0], [0.54, 0.9 * 0.5**0.5, 0.3**0.5]]).double()
    covariance = parts @ parts.T
    mean, spread = condition(torch.zeros(3).double(), covariance, [2], torch.tensor([x0]).double())
    forward_mean = torch.tensor([math.sqrt(0.35) * x0, math.sqrt(0.7) * x0]).double()
    shared = math.sqrt(0.5) * 0.3
    forward = torch.tensor([[0.65, shared], [shared, 0.3]]).double()
    gap = float(gaussian_kl(forward_mean, forward, mean, spread))
    likelihood = bell(torch.tensor(x0).double(), 0.0, float(covariance[2, 2])).log()
    assert bound - gap == pytest.approx(-float(likelihood), abs=1e-6)
    assert gap > 0.01


@pytest.mark.equation("eq-variational-bound")
@pytest.mark.parametrize("x0", [-0.8, 0.5])
def test_the_terms_add_up_to_the_expectation_that_they_were_split_from(x0):
    """The same two steps: L_T + L_1 + L_0, each by quadrature, against the log of the whole fraction."""
    x1, x2 = GRID[::4, None], GRID[None, ::4]
    width = 4 * STEP
    q1 = bell(x1, math.sqrt(0.7) * x0, 0.3)
    q = q1 * bell(x2, math.sqrt(0.5) * x1, 0.5)
    last = bell(x0, 0.9 * x1, 0.3)
    back = bell(x1, 0.6 * torch.tanh(x2), 0.5)
    whole = float((q * (q / (bell(x2, 0.0, 1.0) * back * last)).log()).sum() * width**2)
    q2 = q.sum(0, keepdim=True) * width
    prior = float((q2 * (q2 / bell(x2, 0.0, 1.0)).log()).sum() * width)
    transition = float((q * (q / q2 / back).log()).sum() * width**2)
    reconstruction = float((q1 * -last.log()).sum() * width)
    assert prior + transition + reconstruction == pytest.approx(whole, abs=1e-8)
    closed = -0.5 * (0.35 + math.log(0.65) - 0.35 * x0**2)
    assert prior == pytest.approx(closed, abs=1e-6)  # eq-bound-prior with ᾱ_2 = 0.35


@pytest.mark.equation("eq-target-weights")
@pytest.mark.parametrize("schedule", [linear_schedule(1000), cosine_schedule(1000)], ids=["linear", "cosine"])
@pytest.mark.parametrize("t", [1, 50, 400, 800, 990])
def test_one_error_in_three_currencies(schedule, t):
    x_t, guess, truth = (torch.randn(5, 4, generator=gen(i)) for i in range(3))
    v = [
        velocity(schedule, x0, t, noise_from_x0(schedule, x_t, t, x0))
        for x0 in (guess.double(), truth.double())
    ]
    close(x0_from_velocity(schedule, x_t.double(), t, v[0]), guess.double(), rtol=1e-3, atol=1e-3)
    image = (guess - truth).square().sum()
    snr = schedule.snr(t)
    noise = [noise_from_velocity(schedule, x_t.double(), t, each) for each in v]
    close((noise[0] - noise[1]).square().sum().float(), snr * image, rtol=1e-3, atol=0)
    close((v[0] - v[1]).square().sum().float(), (1 + snr) * image, rtol=1e-3, atol=0)
    close((v[0] - v[1]).square().sum().float(), image / schedule.one_minus_alpha_bar[t], rtol=1e-3, atol=0)


@pytest.mark.equation("eq-ema-warmup")
@pytest.mark.parametrize("n", [1, 2, 11, 40])
def test_what_is_left_of_the_start_in_the_average(n):
    """An average that starts at one and follows zeros holds nothing but the start."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    ema = EMA(model, decay=0.9999)
    nn.init.zeros_(model.weight)
    for _ in range(n):
        ema.update(model)
    left = ema.model.weight.item()
    assert left == pytest.approx(1 / math.comb(n + 9, 9), rel=1e-4)
    if n >= 11:
        assert left < 1e-5


@pytest.mark.equation("eq-reverse-variance")
@pytest.mark.parametrize("t", [2, 4, 7])
def test_the_true_step_back_has_the_variance_of_the_two_parts(t):
    """q(x_{t−1} | x_t) for a mixture, on a grid by Bayes' rule; Cov[x_0 | x_t] from another grid."""
    mixture = GaussianMixture.isotropic(
        torch.tensor([[-1.2], [0.9]], dtype=torch.float64),
        0.25,
        torch.tensor([0.4, 0.6], dtype=torch.float64),
    )
    betas = torch.linspace(0.05, 0.5, 8, dtype=torch.float64)
    kept = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])
    beta, before, now = betas[t - 1], kept[t - 1], kept[t]
    for x_t in (-1.0, 0.1, 0.8):

        def variance(weight):
            weight = weight / weight.sum()
            mean = (weight * GRID).sum()
            return float((weight * (GRID - mean) ** 2).sum())

        earlier = mixture.diffused(float(before)).log_prob_1d(GRID).exp()
        truth = variance(earlier * bell(x_t, (1 - beta).sqrt() * GRID, beta))
        clean = mixture.log_prob_1d(GRID).exp() * bell(x_t, now.sqrt() * GRID, 1 - now)
        small = beta * (1 - before) / (1 - now)
        formula = small + before * beta**2 / (1 - now) ** 2 * variance(clean)
        assert truth == pytest.approx(float(formula), rel=1e-6)
        assert truth > float(small)


@pytest.mark.equation("eq-reverse-variance")
def test_standard_normal_data_need_the_forward_variance():
    schedule = Schedule.from_betas(torch.linspace(0.01, 0.4, 20))
    t = torch.arange(1, 21)
    beta, before, now = schedule.beta[t], schedule.alpha_bar[t - 1], schedule.alpha_bar[t]
    small = beta * (1 - before) / (1 - now)
    close(small + before * beta**2 / (1 - now) ** 2 * (1 - now), beta, rtol=1e-4, atol=1e-6)


@pytest.mark.slip(4)
def test_a_training_step_runs_the_network_once_whatever_the_number_of_steps():
    calls = []

    def network(x_t, t, y=None):
        calls.append(len(x_t))
        return x_t

    for T in (100, 500, 1000, 1500):
        x0, noise = torch.randn(6, 1, 4, 4, generator=gen()), torch.randn(6, 1, 4, 4, generator=gen(1))
        simple_loss(network, cosine_schedule(T), x0, torch.randint(1, T + 1, (6,), generator=gen()), noise)
    assert calls == [6] * 4


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("theirs_schedule", "schedule"), [("linear", linear_schedule), ("cosine", cosine_schedule)]
)
@pytest.mark.parametrize(
    ("objective", "target"), [("pred_noise", "noise"), ("pred_x0", "x0"), ("pred_v", "velocity")]
)
def test_the_loss_is_that_of_denoising_diffusion_pytorch(theirs_schedule, schedule, objective, target):
    """Theirs counts from 0 and takes the mean over pixels, as ours does; its weights are left out."""
    from denoising_diffusion_pytorch import GaussianDiffusion

    torch.manual_seed(0)
    network = UNet(3, width=8, attention=())
    nn.init.normal_(network.last[-1].weight, std=0.1)

    class Theirs(nn.Module):
        channels, out_dim, self_condition, random_or_learned_sinusoidal_cond = 3, 3, False, False

        def forward(self, x, t, x_self_cond=None):
            return network(x, t + 1)

    peer = GaussianDiffusion(
        Theirs(),
        image_size=8,
        timesteps=1000,
        beta_schedule=theirs_schedule,
        objective=objective,
        auto_normalize=False,
    )
    x0, noise = torch.randn(6, 3, 8, 8, generator=gen()), torch.randn(6, 3, 8, 8, generator=gen(1))
    t = torch.tensor([1, 7, 200, 500, 900, 990])
    ours = schedule(1000)
    # Their weight: SNR for x_0, SNR / (SNR + 1) for v, 1 for the noise; unclipped by default.
    weight = torch.ones(1001)
    weight[1:] = peer.loss_weight
    got = simple_loss(network, ours, x0, t, noise, target=target, weight=weight)
    close(got, peer.p_losses(x0, t - 1, noise), rtol=2e-3, atol=1e-5)


def test_the_record_of_the_number_of_steps_has_each_network_from_each_of_ten_seeds():
    rows = record("number_of_steps")["rows"]
    runs = [(row["noise"], row["T"], row["seed"]) for row in rows]
    assert sorted(runs) == sorted((*network, seed) for network in NETWORKS for seed in range(10))


def test_the_record_of_the_number_of_steps_is_of_the_schedules_it_names():
    for row in record("number_of_steps")["rows"]:
        expected = NOISE[row["noise"]](row["T"]).alpha_bar[-1].item()
        assert row["alpha_bar_T"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_one_run_of_the_record_can_be_repeated_in_small(tmp_path):
    [row] = measure(tmp_path, noise="linear-unscaled", T=100, steps=120, samples=80, seed=0)
    assert row["alpha_bar_T"] == pytest.approx(0.36, abs=0.01)
    assert row["frechet"] > row["reference"]
    assert 0 <= row["accuracy"] <= 1
