"""The second stage of a cascade: what it sees of the small image, and how noisy."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gdmcourse.diffusion import ScheduleError, cosine_schedule, marginal, noise_from_velocity, q_sample
from gdmcourse.diffusion.cascade import SuperResolver, conditioned_on, super_resolution_loss
from gdmcourse.diffusion.samplers import ddim, spaced_times

SCHEDULE = cosine_schedule(100)


def awake() -> SuperResolver:
    torch.manual_seed(0)
    model = SuperResolver(1, width=8)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    return model.eval()


def test_time_small_image_and_its_noise_level_all_matter():
    model = awake()
    x, low = torch.randn(1, 1, 8, 8), torch.randn(1, 1, 4, 4)
    t, level = torch.tensor([50]), torch.tensor([10])
    out = model(x, t, low, level)
    assert out.shape == x.shape
    for other in ((x, t + 30, low, level), (x, t, low + 1, level), (x, t, low, level + 30)):
        assert not torch.allclose(out, model(*other), atol=1e-4)


def test_the_denoiser_keeps_one_noisy_small_image_for_the_whole_walk():
    """Of the level asked for, and the same at each step."""
    seen = []

    class Spy(SuperResolver):
        def forward(self, x, t, low, low_t, y=None):
            seen.append((low, low_t))
            return torch.zeros_like(x)

    low = torch.zeros(2000, 1, 4, 4)
    denoiser = conditioned_on(Spy(1, width=8), SCHEDULE, low, 40, torch.Generator().manual_seed(0))
    x = ddim(denoiser, SCHEDULE, torch.randn(2000, 1, 8, 8), spaced_times(100, 4))
    assert x.shape == (2000, 1, 8, 8)
    assert len(seen) == 4
    assert all(torch.equal(image, seen[0][0]) for image, _ in seen)
    assert all((level == 40).all() for _, level in seen)
    variance = float(marginal(SCHEDULE, low, 40)[1].squeeze())
    assert float(seen[0][0].var()) == pytest.approx(variance, rel=0.03)


def test_labels_and_targets_reach_the_network():
    torch.manual_seed(0)
    model = SuperResolver(1, width=8, num_classes=3)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    low, x, t, y = (
        torch.randn(2, 1, 4, 4),
        torch.randn(2, 1, 8, 8),
        torch.tensor([30, 60]),
        torch.tensor([0, 2]),
    )
    noise, velocity = (
        conditioned_on(model.eval(), SCHEDULE, low, 20, torch.Generator().manual_seed(0), target=target)
        for target in ("noise", "velocity")
    )
    assert not torch.allclose(noise(x, t, y), noise(x, t), atol=1e-3)
    wanted = noise_from_velocity(SCHEDULE, x, t, noise(x, t, y))
    torch.testing.assert_close(velocity(x, t, y), wanted)


@pytest.mark.parametrize("level", [0, 101])
def test_a_level_outside_the_schedule_is_refused(level):
    with pytest.raises(ScheduleError, match=f"time {level}"):
        conditioned_on(awake(), SCHEDULE, torch.zeros(1, 1, 4, 4), level)


def test_training_shows_means_of_pixels_with_noise_of_the_level_told():
    """A resolver that knows the large image and the level could tell the noise in the small one."""
    seen = {}

    class Spy(SuperResolver):
        def forward(self, x, t, low, low_t, y=None):
            seen.update(x=x, t=t, low=low, low_t=low_t, y=y)
            return torch.zeros_like(x)

    x0 = torch.randn(4000, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    loss = super_resolution_loss(SCHEDULE, factor=2, max_low_t=30)
    labels = torch.arange(4000) % 10
    value = loss(Spy(1, width=8), (x0, labels), torch.Generator().manual_seed(1))
    assert torch.equal(seen["y"], labels)
    assert float(value) == pytest.approx(1, abs=0.02)  # nothing predicted: the error is the noise
    assert set(seen["low_t"].tolist()) == set(range(1, 31))
    assert set(seen["t"].tolist()) == set(range(1, 101))
    mean, variance = marginal(SCHEDULE, F.avg_pool2d(x0, 2), seen["low_t"])
    z = (seen["low"] - mean) / variance.sqrt()
    assert float(z.mean()) == pytest.approx(0, abs=0.02)
    assert float(z.var()) == pytest.approx(1, abs=0.02)


def test_it_learns_to_use_the_small_image():
    """Blocks of random black and white: the small image says which is which, another one's misleads."""
    torch.manual_seed(0)
    model, loss = SuperResolver(1, width=8), super_resolution_loss(SCHEDULE, max_low_t=5)
    generator = torch.Generator().manual_seed(0)

    def blocks(n: int) -> torch.Tensor:
        small = torch.randint(0, 2, (n, 1, 4, 4), generator=generator).float() * 2 - 1
        return F.interpolate(small, scale_factor=2)

    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss(model, blocks(32), generator).backward()
        optimizer.step()
    x0 = blocks(64)
    noise, t = torch.randn(x0.shape, generator=generator), torch.full((64,), 60)
    x_t, errors = q_sample(SCHEDULE, x0, t, noise), []
    for low in (F.avg_pool2d(x0, 2), F.avg_pool2d(x0, 2).roll(1, dims=0)):
        denoiser = conditioned_on(model.eval(), SCHEDULE, low, 1, generator)
        errors.append(float((denoiser(x_t, t) - noise).detach().square().mean()))
    assert errors[0] < errors[1] / 2
