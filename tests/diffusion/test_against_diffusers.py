"""Each sampler's steps against diffusers' schedulers, in float32, with a denoiser that is no exact one.

diffusers counts training times from 0: our t is its t − 1, and its ᾱ before the first step is 1.
"""

from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from torch import Tensor

from gdmcourse.diffusion import cosine_schedule, linear_schedule
from gdmcourse.diffusion.samplers import ancestral, ddim, dpm_solver, spaced_times

SCHEDULES = {
    "linear": (linear_schedule(1000), {"beta_schedule": "linear"}),
    "squaredcos_cap_v2": (cosine_schedule(1000), {"beta_schedule": "squaredcos_cap_v2"}),
}
every_schedule = pytest.mark.parametrize(("schedule", "peer_schedule"), SCHEDULES.values(), ids=SCHEDULES)
# diffusers turns a tensor into an array in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def denoiser(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """Some smooth function of x and t."""
    return torch.tanh(x) + 0.1 * torch.sin(3 * x + t.view(-1, 1) / 100)


def start(seed: int = 0) -> Tensor:
    return torch.randn(8, 5, generator=torch.Generator().manual_seed(seed))


def walk_peer(peer, x: Tensor, **own: object) -> Tensor:
    for t in peer.timesteps:
        x = peer.step(denoiser(x, torch.full((8,), int(t) + 1)), int(t), x, **own).prev_sample
    return x


@every_schedule
@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("steps", [20, 1000])
def test_ancestral_steps(schedule, peer_schedule, variance, clip, steps):
    """Step for step from one x: its 1 − ᾱ_t is a float32 difference, and the errors would add up."""
    peer = DDPMScheduler(
        1000,
        variance_type=f"fixed_{variance}",
        clip_sample=clip is not None,
        timestep_spacing="trailing",
        **peer_schedule,
    )
    peer.set_timesteps(steps)
    times = spaced_times(1000, steps)
    assert [int(t) + 1 for t in peer.timesteps] == times[:-1]
    x = start()
    for t, s in list(pairwise(times))[:: max(1, steps // 50)]:
        wanted = peer.step(
            denoiser(x, torch.full((8,), t)), t - 1, x, generator=torch.Generator().manual_seed(t)
        ).prev_sample
        generator = torch.Generator().manual_seed(t)
        got = ancestral(denoiser, schedule, x, [t, s], generator=generator, variance=variance, clip=clip)
        if s > 0 or variance == "small" or steps == 1000:
            torch.testing.assert_close(got, wanted, **CLOSE)
        x = got


def test_diffusers_adds_noise_on_the_last_of_few_steps():
    """With fixed_large: it leaves the noise out at its time 0, but 20 trailing steps end at time 49."""
    peer = DDPMScheduler(1000, variance_type="fixed_large", clip_sample=False, timestep_spacing="trailing")
    peer.set_timesteps(20)
    one, two = (
        peer.step(denoiser(start(), torch.full((8,), 50)), 49, start(), generator=generator).prev_sample
        for generator in (torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))
    )
    assert (one - two).abs().max() > 0.1
    ours = [
        ancestral(
            denoiser,
            linear_schedule(1000),
            start(),
            [50, 0],
            variance="large",
            generator=torch.Generator().manual_seed(seed),
        )
        for seed in (0, 1)
    ]
    assert torch.equal(*ours)


@every_schedule
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_ddim(schedule, peer_schedule, eta, clip):
    """With clipping only when the peer is told to work ε̂ out again, which is not its default."""
    peer = DDIMScheduler(
        1000,
        clip_sample=clip is not None,
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        **peer_schedule,
    )
    peer.set_timesteps(50)
    times = spaced_times(1000, 50)
    assert [int(t) + 1 for t in peer.timesteps] == times[:-1]
    own = {"eta": eta, "use_clipped_model_output": True, "generator": torch.Generator().manual_seed(3)}
    got = ddim(
        denoiser, schedule, start(), times, eta=eta, clip=clip, generator=torch.Generator().manual_seed(3)
    )
    torch.testing.assert_close(got, walk_peer(peer, start(), **own), **CLOSE)


def test_the_default_of_diffusers_keeps_an_old_noise_after_clipping():
    """Its x_s then follows from an x̂_0 and an ε̂ that do not add up to x_t; ours do."""
    peer = DDIMScheduler(1000, beta_schedule="linear", clip_sample=True, timestep_spacing="trailing")
    peer.set_timesteps(50)
    got = ddim(denoiser, linear_schedule(1000), start(), spaced_times(1000, 50), clip=1.0)
    assert (walk_peer(peer, start()) - got).abs().max() > 0.01


@pytest.mark.parametrize("order", [1, 2])
def test_dpm_solver(order):
    """The peer's last level is clean data, as ours. Its third order is another matter: `test_convergence`."""
    peer = DPMSolverMultistepScheduler(
        1000,
        beta_schedule="linear",
        solver_order=order,
        timestep_spacing="trailing",
        final_sigmas_type="zero",
    )
    peer.set_timesteps(20)
    times = spaced_times(1000, 20)
    assert [int(t) + 1 for t in peer.timesteps] == times[:-1]
    got = dpm_solver(denoiser, linear_schedule(1000), start(), times, order=order)
    torch.testing.assert_close(got, walk_peer(peer, start()), **CLOSE)
