"""What a denoiser is trained on: the squared error of its prediction, at a random time for each image."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser, check_target, schedule_on
from gdmcourse.diffusion.forward import q_sample, velocity
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.schedule import Schedule

Batch = Tensor | tuple[Tensor, ...]


def draw_times(n: int, T: int, generator: torch.Generator | None = None) -> Int[Tensor, " n"]:
    """n training times, each of 1 … T equally likely: T is among them, 0 (clean data) is not."""
    device = None if generator is None else generator.device
    return torch.randint(1, T + 1, (n,), generator=generator, device=device)


def regression_target(
    target: str,
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
) -> Float[Tensor, " n *shape"]:
    """What the network should say: the noise ε, the clean image x_0, or v = √ᾱ_t ε − √(1 − ᾱ_t) x_0.

    Raises ValueError for another `target`.
    """
    check_target(target)
    if target == "noise":
        return noise
    return x0 if target == "x0" else velocity(schedule, x0, t, noise)


def prediction_errors(
    network: Denoiser,
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
    *,
    target: str = "noise",
) -> Float[Tensor, " n"]:
    """Squared error of the network on x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε, its mean over the pixels of each image.

    Raises `ScheduleError` for a time outside 1 … T. Source: `eq-simple-loss`, before the mean over the batch.
    """
    prediction = network(q_sample(schedule, x0, t, noise), t, y)
    wanted = regression_target(target, schedule, x0, t, noise)
    return (prediction - wanted).float().square().flatten(1).mean(1)


def simple_loss(
    network: Denoiser,
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"],
    noise: Float[Tensor, " n *shape"],
    y: Tensor | None = None,
    *,
    target: str = "noise",
    weight: Float[Tensor, " times"] | None = None,
) -> Float[Tensor, ""]:
    """L_simple: the mean of `prediction_errors`, each times `weight[t]` if such a table over 0 … T is given.

    Source: `eq-simple-loss` (Ho et al. 2020).
    """
    errors = prediction_errors(network, schedule, x0, t, noise, y, target=target)
    return errors.mean() if weight is None else (weight[t] * errors).mean()


def drop_labels(
    y: Int[Tensor, " n *rest"], probability: float, null: int, generator: torch.Generator | None = None
) -> Int[Tensor, " n *rest"]:
    """Labels (n,) or token rows (n, L) with each row replaced by `null` with this probability.

    A network that sees `null` in training can predict without a label, which classifier-free guidance
    needs. Raises ValueError for a probability outside [0, 1]. Source: Ho and Salimans (2022).
    """
    _check_probability(probability)
    dropped = torch.rand(len(y), generator=generator, device=y.device) < probability
    return y.masked_fill(per_image(dropped, y), null)


def denoising_loss(
    schedule: Schedule,
    *,
    target: str = "noise",
    weight: Float[Tensor, " times"] | None = None,
    drop: float = 0.0,
    null: int | None = None,
) -> Callable[[Denoiser, Batch, torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit`: `simple_loss` at a random time and noise for each image.

    A batch is the images, or a tuple (images, y) with labels or tokens y. With `drop` > 0, y becomes
    `null` that often. Raises ValueError for a `drop` outside [0, 1], and if labels are
    to be dropped and there is no `null`.
    """
    _check_probability(drop)
    if drop > 0 and null is None:
        raise ValueError("to drop labels, say which label stands for none: null=network.null_class")

    def loss(network: Denoiser, batch: Batch, generator: torch.Generator) -> Tensor:
        x0, y = (batch[0], batch[1]) if isinstance(batch, tuple) else (batch, None)
        if y is not None and drop > 0 and null is not None:
            y = drop_labels(y, drop, null, generator)
        t = draw_times(len(x0), schedule.T, generator)
        noise = torch.randn(x0.shape, generator=generator, device=generator.device, dtype=x0.dtype)
        table = None if weight is None else weight.to(x0.device)
        on_device = schedule_on(schedule, x0.device)
        return simple_loss(network, on_device, x0, t, noise, y, target=target, weight=table)

    return loss


def _check_probability(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise ValueError(f"the probability of dropping a label lies in [0, 1], not {probability}")
