"""The training objective: what is regressed on what, at which times, with which labels."""

import math

import pytest
import torch
from torch import nn

from gdmcourse.diffusion import (
    Schedule,
    ScheduleError,
    as_denoiser,
    cosine_schedule,
    denoising_loss,
    draw_times,
    drop_labels,
    exact_denoiser,
    linear_schedule,
    simple_loss,
)
from gdmcourse.diffusion.bound import bound_term
from gdmcourse.diffusion.objective import prediction_errors, regression_target
from gdmcourse.nn import UNet
from gdmcourse.probability import GaussianMixture

SCHEDULE = linear_schedule(1000)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mixture() -> GaussianMixture:
    return GaussianMixture.isotropic(torch.tensor([[-1.0, 0.5], [1.0, -0.3]]), 0.3)


@pytest.mark.equation("eq-simple-loss")
def test_the_simple_loss_written_out_image_by_image():
    x0, noise, t = normal(5, 2, 3, 3), normal(5, 2, 3, 3, seed=1), torch.tensor([1, 3, 400, 999, 1000])

    def network(x, t, y=None):
        return torch.sin(x) * t.view(-1, 1, 1, 1) / 1000

    total = 0.0
    for i, time in enumerate(t.tolist()):
        alpha_bar = float(torch.prod(1 - SCHEDULE.beta[1 : time + 1].double()))
        x_t = alpha_bar**0.5 * x0[i].double() + (1 - alpha_bar) ** 0.5 * noise[i].double()
        total += float((torch.sin(x_t) * time / 1000 - noise[i]).square().sum())
    assert float(simple_loss(network, SCHEDULE, x0, t, noise)) == pytest.approx(total / x0.numel(), rel=1e-4)


@pytest.mark.equation("eq-simple-loss", "eq-bound-weight")
@pytest.mark.parametrize("kind", ["small", "large"])
def test_the_simple_loss_is_the_bound_with_every_weight_one(kind):
    """From the bound's terms t = 1 … T, less their constants over D w_t, both written out here."""
    betas, kept, total, simple = [0.1, 0.25, 0.4, 0.6], 1.0, 0.0, 0.0
    schedule = Schedule.from_betas(torch.tensor(betas))
    x0, noise = normal(6, 5), normal(6, 5, seed=1)

    def network(x, t, y=None):
        return torch.sin(x) * t.view(-1, 1) / 3

    second = betas[1] * betas[0] / (1 - 0.9 * 0.75)  # β̃_2, which stands in for β̃_1
    for time, beta in enumerate(betas, start=1):
        before, kept, t = kept, kept * (1 - beta), torch.full((6,), time)
        narrow = beta * (1 - before) / (1 - kept)
        variance = beta if kind == "large" else narrow if time > 1 else second
        ratio = narrow / variance
        constant = 5 / 2 * (ratio - 1 - math.log(ratio) if time > 1 else math.log(2 * math.pi * variance))
        weight = beta**2 / (2 * variance * (1 - beta) * (1 - kept))
        x_t = kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
        log_variance = torch.full_like(x0, math.log(variance))
        term = bound_term(schedule, x0, x_t, t, network(x_t, t), log_variance).mean()
        total += float(term - constant) / (5 * weight) / 4
        simple += float(simple_loss(network, schedule, x0, t, noise)) / 4
    assert total == pytest.approx(simple, rel=1e-4)


@pytest.mark.equation("eq-simple-loss")
def test_the_exact_denoiser_has_the_least_loss():
    law = mixture()
    best = exact_denoiser(law, SCHEDULE)
    x0, noise = law.sample(4000, torch.Generator().manual_seed(0)), normal(4000, 2)
    t = torch.full((4000,), 300)
    least = prediction_errors(best, SCHEDULE, x0, t, noise)
    for other in (lambda *a: 1.05 * best(*a), lambda *a: best(*a) + 0.05, lambda x, *a: 0.6 * x):
        worse = prediction_errors(other, SCHEDULE, x0, t, noise) - least
        assert worse.mean() > 2 * worse.std() / 4000**0.5


def test_a_weight_counts_at_its_time():
    x0, noise, t = normal(4, 3), normal(4, 3, seed=1), torch.tensor([1, 2, 2, 1000])
    weight = torch.zeros(1001)
    weight[2] = 3.0

    def network(x, t, y=None):
        return x

    errors = prediction_errors(network, SCHEDULE, x0, t, noise)
    got = simple_loss(network, SCHEDULE, x0, t, noise, weight=weight)
    torch.testing.assert_close(got, 3 * (errors[1] + errors[2]) / 4)


@pytest.mark.parametrize("target", ["noise", "x0", "velocity"])
@pytest.mark.parametrize("schedule", [SCHEDULE, cosine_schedule(1000)], ids=["linear", "cosine"])
def test_a_network_that_hits_its_target_is_a_perfect_denoiser(target, schedule):
    x0, noise = normal(6, 1, 4, 4), normal(6, 1, 4, 4, seed=1)
    t = torch.tensor([1, 2, 50, 500, 900, 990])

    def oracle(x_t, t, y=None):
        return regression_target(target, schedule, x0, t, noise)

    assert float(simple_loss(oracle, schedule, x0, t, noise, target=target)) < 1e-10
    from gdmcourse.diffusion import q_sample

    denoiser = as_denoiser(oracle, schedule, target)
    torch.testing.assert_close(denoiser(q_sample(schedule, x0, t, noise), t), noise, atol=2e-4, rtol=2e-4)


def test_an_unknown_target_is_named():
    with pytest.raises(ValueError, match="not 'score'"):
        as_denoiser(lambda *a: a[0], SCHEDULE, "score")
    with pytest.raises(ValueError, match="not 'score'"):
        simple_loss(lambda *a: a[0], SCHEDULE, normal(1, 2), torch.tensor([1]), normal(1, 2), target="score")


@pytest.mark.parametrize("time", [0, -1, 1001])
def test_times_outside_the_schedule_are_named(time):
    with pytest.raises(ScheduleError, match=rf"time {time} is outside 1 … 1000"):
        simple_loss(lambda *a: a[0], SCHEDULE, normal(2, 3), torch.tensor([5, time]), normal(2, 3))


def test_training_times_are_uniform_on_1_to_T():
    counts = torch.bincount(draw_times(50_000, 50, torch.Generator().manual_seed(0)), minlength=51)
    assert counts[0] == 0
    assert len(counts) == 51
    chi_squared = ((counts[1:] - 1000) ** 2 / 1000).sum()
    assert chi_squared < 85  # the 99.9th percentile with 49 degrees of freedom


def test_labels_and_whole_captions_are_dropped_at_their_rate():
    generator = torch.Generator().manual_seed(0)
    labels = drop_labels(torch.arange(20_000) % 10, 0.15, 10, generator)
    assert (labels == 10).double().mean() == pytest.approx(0.15, abs=0.01)
    kept = labels != 10
    assert torch.equal(labels[kept], (torch.arange(20_000) % 10)[kept])
    tokens = drop_labels(torch.ones(20_000, 5, dtype=torch.long), 0.3, 0, generator)
    assert ((tokens == 0).all(1) | (tokens == 1).all(1)).all()
    assert (tokens == 0).double().mean() == pytest.approx(0.3, abs=0.01)
    assert not (drop_labels(labels, 0.0, 11, generator) == 11).any()
    assert (drop_labels(labels, 1.0, 11, generator) == 11).all()


def test_dropping_asks_for_a_probability_and_a_null():
    with pytest.raises(ValueError, match=r"not 1\.5"):
        drop_labels(torch.arange(3), 1.5, 10)
    with pytest.raises(ValueError, match="null="):
        denoising_loss(SCHEDULE, drop=0.1)


def test_the_loss_for_fit_draws_anew_and_repeats_by_its_generator():
    model, x0, y = UNet(1, width=8, num_classes=3), normal(6, 1, 8, 8), torch.arange(6) % 3
    nn.init.normal_(model.last[-1].weight)
    loss = denoising_loss(SCHEDULE, drop=0.5, null=model.null_class)
    generator = torch.Generator().manual_seed(0)
    first, second = loss(model, (x0, y), generator), loss(model, (x0, y), generator)
    assert first != second
    assert first == loss(model, (x0, y), torch.Generator().manual_seed(0))
    assert loss(UNet(1, width=8), x0, generator).isfinite()  # images alone are a batch too


def test_a_network_learns_to_denoise_a_mixture():
    """A small network on the plane, some hundred steps: most of the way to the exact denoiser."""
    torch.manual_seed(0)
    law, schedule = mixture(), cosine_schedule(50)

    class Plane(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2)
            )

        def forward(self, x, t, y=None):
            return self.layers(torch.cat([x, t[:, None] / 25 - 1], dim=1))

    model = Plane()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    loss, generator = denoising_loss(schedule), torch.Generator().manual_seed(0)
    for _ in range(600):
        optimizer.zero_grad()
        loss(model, law.sample(256, generator), generator).backward()
        optimizer.step()
    x0, noise = law.sample(8000, generator), torch.randn(8000, 2, generator=generator)
    t = draw_times(8000, 50, generator)
    losses = [simple_loss(d, schedule, x0, t, noise).item() for d in (model, exact_denoiser(law, schedule))]
    nothing = float(noise.square().mean())
    assert losses[0] - losses[1] < 0.05 * (nothing - losses[1])
