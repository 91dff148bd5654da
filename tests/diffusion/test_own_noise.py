"""A generator for each image: its samples don't know what else is in the batch; and the path of a walk."""

import pytest
import torch

from gdmcourse.diffusion import exact_denoiser, linear_schedule
from gdmcourse.diffusion.samplers import (
    ancestral,
    annealed_langevin,
    ddim,
    dpm_solver,
    generators,
    geometric_sigmas,
    inpaint,
    normal_like,
)
from gdmcourse.diffusion.samplers.reverse_sde import reverse_sde
from gdmcourse.diffusion.sde import VPSDE, exact_score
from gdmcourse.probability import GaussianMixture

LAW = GaussianMixture.isotropic(torch.tensor([[-1.0, 0.4], [0.8, -0.6]], dtype=torch.float64), 0.3)
SCHEDULE, TIMES = linear_schedule(100), [100, 60, 30, 10, 0]
DENOISER = exact_denoiser(LAW, SCHEDULE)
VP = VPSDE()


def known_first(x):
    return {"known": torch.ones_like(x), "mask": torch.tensor([1.0, 0.0])}


SAMPLERS = {
    "ancestral": lambda x, **own: ancestral(DENOISER, SCHEDULE, x, TIMES, **own),
    "ddim": lambda x, **own: ddim(DENOISER, SCHEDULE, x, TIMES, eta=0.7, **own),
    "dpm_solver": lambda x, **own: dpm_solver(DENOISER, SCHEDULE, x, TIMES, **own),
    "inpaint": lambda x, **own: inpaint(DENOISER, SCHEDULE, x, TIMES, repeats=2, **known_first(x), **own),
    "langevin": lambda x, **own: annealed_langevin(
        lambda x, sigma: -x / (1 + sigma[:, None] ** 2), geometric_sigmas(3, 2.0, 0.1), x, steps=2, **own
    ),
    "reverse_sde": lambda x, **own: reverse_sde(exact_score(LAW, VP), VP, x, [1.0, 0.6, 0.3, 0.1], **own),
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


def drawn(sampler, seeds):
    own = generators(seeds)
    noise = normal_like(torch.empty(len(own), 2, dtype=torch.float64), own)
    return sampler(noise, generator=own)


@every_sampler
def test_the_sample_of_a_seed_is_the_same_in_every_batch(sampler):
    together = drawn(sampler, range(5))
    apart = torch.cat([drawn(sampler, seeds) for seeds in ([0, 1], [2], [3, 4])])
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-12)
    turned = drawn(sampler, [4, 3, 2, 1, 0])
    torch.testing.assert_close(together, turned.flip(0), rtol=1e-12, atol=1e-12)
    assert (together[0] - together[1]).abs().max() > 1e-3


@every_sampler
def test_each_step_is_told_and_the_last_is_the_result(sampler):
    path = []
    noise = torch.randn(3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    end = sampler(
        noise,
        generator=torch.Generator().manual_seed(2),
        on_step=lambda t, x: path.append((t, x.clone())),
    )
    unwatched = sampler(noise, generator=torch.Generator().manual_seed(2))
    assert torch.equal(end, unwatched)
    times = [t for t, _ in path]
    assert times == sorted(times, reverse=True)
    if sampler is SAMPLERS["langevin"]:
        assert len(path) == 6  # three noise levels, two steps each; Tweedie's estimate is no step
    else:
        assert torch.equal(path[-1][1], end)
        assert times == ([0.6, 0.3, 0.1] if sampler is SAMPLERS["reverse_sde"] else TIMES[1:])


def test_generators_that_are_too_few_are_refused():
    with pytest.raises(ValueError, match="2 generators for 3 images"):
        normal_like(torch.empty(3, 2), generators([0, 1]))
