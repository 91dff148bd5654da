"""What must hold on a card: the numbers of the processor, which the library's tests have checked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

Device = torch.device


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Raise AssertionError, which says how far they are apart, unless both agree."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    assert found.isfinite().all(), "there are values that are not finite"
    gap = ((found - expected).abs() / (1 + expected.abs())).max().item()
    assert gap <= tolerance, f"the card and the processor differ by {gap:.1e}, more than {tolerance:.0e}"


def network(device: Device) -> None:
    """The U-Net's output and gradients."""
    from gdmcourse.nn import UNet

    rng = torch.Generator().manual_seed(0)
    here = UNet(1, width=16, multipliers=(1, 2), num_classes=10)
    with torch.no_grad():
        for parameter in here.parameters():  # its last layer starts at zero, which would hide the others
            parameter.add_(torch.randn(parameter.shape, generator=rng) / 20)
    x, t = torch.randn(4, 1, 16, 16, generator=rng), torch.tensor([1, 5, 50, 500])
    y = torch.tensor([0, 3, 9, 10])
    there = deepcopy(here).to(device)
    outputs = [model(*(v.to(d) for v in (x, t, y))) for model, d in ((here, "cpu"), (there, device))]
    for output in outputs:
        output.square().mean().backward()
    close(outputs[1], outputs[0])
    for a, b in zip(there.parameters(), here.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None and b.grad is not None:
            close(a.grad, b.grad)


def mixtures(device: Device) -> None:
    """Densities and scores of a mixture, and EM from the same start, in float64."""
    from gdmcourse.likelihood.gmm import fit_gmm
    from gdmcourse.probability.mixture import GaussianMixture

    rng = torch.Generator().manual_seed(0)
    means = torch.tensor([[-3.0, 0.0], [3.0, 1.0], [0.0, 4.0]], dtype=torch.float64)
    here = GaussianMixture.isotropic(means, 0.7)
    there = GaussianMixture(*(v.to(device) for v in (here.weights, here.means, here.covariances)))
    x = means.repeat(200, 1) + torch.randn(600, 2, generator=rng, dtype=torch.float64)
    close(there.log_prob(x.to(device)), here.log_prob(x), 1e-9)
    close(there.score(x.to(device)), here.score(x), 1e-9)
    fits = [fit_gmm(x.to(d), 3, init=m, iterations=20) for d, m in (("cpu", here), (device, there))]
    close(fits[1].mixture.means, fits[0].mixture.means, 1e-6)


def samplers(device: Device) -> None:
    """Deterministic samplers from the same noise, with an exact denoiser in place of a network."""
    from gdmcourse.diffusion import linear_schedule
    from gdmcourse.diffusion.samplers import ddim, dpm_solver, spaced_times

    noise = torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for sampler in (ddim, dpm_solver):
        drawn = []
        for place in ("cpu", device):
            schedule = linear_schedule(100).to(place)
            denoiser = partial(_shrink, schedule.one_minus_alpha_bar.sqrt())
            drawn.append(sampler(denoiser, schedule, noise.to(place), spaced_times(100, 20)))
        close(drawn[1], drawn[0])


def _shrink(sigma: Tensor, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """The noise in x, on average, where the data are standard normal."""
    return sigma[t].view(-1, 1, 1, 1) * x


def metrics(device: Device) -> None:
    """Scores of features that lie on the card."""
    from gdmcourse.metrics.frechet import frechet_distance
    from gdmcourse.metrics.precision_recall import precision_recall

    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(200, 8, generator=rng), torch.randn(300, 8, generator=rng) + 0.5
    for score in (frechet_distance, precision_recall):
        found, expected = score(a.to(device), b.to(device)), score(a, b)
        close(torch.tensor(found), torch.tensor(expected))


def randomness(device: Device) -> None:
    """A seed fixes what is drawn on the card, and the next draw is another one."""
    from gdmcourse.diffusion import linear_schedule
    from gdmcourse.diffusion.samplers import ancestral, spaced_times

    schedule = linear_schedule(50).to(device)

    def draw(rng: torch.Generator) -> Tensor:
        x = torch.randn(4, 1, 4, 4, generator=rng, device=device)
        return ancestral(lambda x, t, y=None: x / 2, schedule, x, spaced_times(50, 10), generator=rng)

    rng = torch.Generator(device)
    first, other = draw(rng.manual_seed(1)), draw(rng)
    close(draw(rng.manual_seed(1)), first, 0)
    assert not torch.equal(first, other), "two draws from one generator are the same"


def training(device: Device) -> None:
    """A classifier's loss falls in bfloat16, and its first steps in float32 are those of the processor."""
    from gdmcourse.recipes import find_recipe

    from gdmcourse.training import make_fabric, play

    recipe = replace(find_recipe("classifier-digits", "smoke"), steps=60, width=8)
    train, losses = recipe.data("train"), {}
    for precision, place in (("32-true", "cpu"), ("32-true", device.type), ("bf16-mixed", device.type)):
        modules = recipe.build(train)
        played = play(
            modules,
            recipe.players(modules, torch.device(place)),
            recipe.tensors(train),
            steps=recipe.steps,
            batch_size=64,
            fabric=make_fabric(1, 1, precision, accelerator=place),
            log_every=2,
            progress=False,
        )
        losses[precision, place] = torch.tensor(played.history.columns["loss"])
    close(losses["32-true", device.type][:3], losses["32-true", "cpu"][:3], 1e-3)
    fast = losses["bf16-mixed", device.type]
    assert fast[-5:].mean() < 0.8 * fast[0], f"in bfloat16 the loss went from {fast[0]:.3f} to {fast[-1]:.3f}"


CHECKS: list[Callable[[Device], None]] = [network, mixtures, samplers, metrics, randomness, training]


@contextmanager
def exact() -> Iterator[None]:
    """Within the block a card multiplies in full float32, which is what the processor does."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def failures(device: Device) -> dict[str, str]:
    """The checks that do not hold on the device, by name, each with the reason."""
    found = {}
    with exact():
        for check in CHECKS:
            try:
                check(device)
            except Exception as error:  # whatever it is, the other checks and the measurements go on
                found[check.__name__] = f"{type(error).__name__}: {error}"
    return found
