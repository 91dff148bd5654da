"""Large steps of denoising, drawn by a generator and judged by a critic of pairs (Xiao et al. 2022)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.diffusion.denoiser import schedule_on
from gdmcourse.diffusion.forward import posterior, transition, x0_from_velocity
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.samplers.times import walk
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.hybrid.one_step import same_time
from gdmcourse.nn.labels import check_labels
from gdmcourse.nn.unet import UNet


class DenoisingGenerator(nn.Module):
    """x_t, a time, noise z and a label to an image that may be behind x_t: another one for another z.

    A U-Net that predicts v, with a second embedding, of z, which at first adds nothing. So it begins as the
    denoiser that it is given, which for every z says the mean E[x_0 | x_t].
    """

    def __init__(self, network: UNet, schedule: Schedule, noise_dim: int = 32) -> None:
        super().__init__()
        self.network, self.schedule, self.noise_dim = network, schedule, noise_dim
        dim = network.time.dim
        last = nn.Linear(dim, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.chance = nn.Sequential(nn.Linear(noise_dim, dim), nn.SiLU(), last)

    def forward(
        self,
        x_t: Float[Tensor, "n c h w"],
        t: Int[Tensor, " n"],
        z: Float[Tensor, "n noise_dim"],
        y: Int[Tensor, " n"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """x̂_0 for each x_t and z."""
        v = self.network(x_t, t, y, extra=self.chance(z))
        return x0_from_velocity(schedule_on(self.schedule, x_t.device), x_t, t, v)


class StepCritic(nn.Module):
    """Did x_s come before x_t? A logit for each pair, at one of `steps` steps, with a label.

    Step and label choose a plane of H·W learned numbers, which is one more channel beside the two images.
    """

    def __init__(
        self, shape: tuple[int, int, int], steps: int, classes: int, width: int = 16, norm: str = "none"
    ) -> None:
        super().__init__()
        channels, height, side = shape
        self.steps, self.classes = steps, classes
        self.plane = nn.Sequential(
            nn.Embedding(steps * classes, height * side), nn.Unflatten(1, (1, height, side))
        )
        self.body = ImageCritic((2 * channels + 1, height, side), width, norm)

    def forward(
        self,
        x_s: Float[Tensor, "n c h w"],
        x_t: Float[Tensor, "n c h w"],
        step: Int[Tensor, " n"],
        y: Int[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        """A logit for each pair, large where it looks real. Raises ValueError for a label out of range."""
        check_labels(y, self.classes)
        plane = self.plane(step * self.classes + y)
        return self.body(torch.cat([x_s, x_t, plane], dim=1))


def forward_pair(
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    s: Int[Tensor, " n"],
    t: Int[Tensor, " n"],
    generator: torch.Generator,
) -> tuple[Float[Tensor, " n *shape"], Float[Tensor, " n *shape"]]:
    """(x_s, x_t) of the forward process for 0 ≤ s < t ≤ T: x_s from x_0, and x_t from x_s."""
    first, second = (
        torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype) for _ in range(2)
    )
    signal, noise = schedule.alpha_bar[s].sqrt(), schedule.one_minus_alpha_bar[s].sqrt()
    x_s = per_image(signal, x0) * x0 + per_image(noise, x0) * first
    mean, variance = transition(schedule, x_s, t, s)
    return x_s, mean + variance.sqrt() * second


def backward_step(
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    x_t: Float[Tensor, " n *shape"],
    t: Int[Tensor, " n"] | int,
    s: Int[Tensor, " n"] | int,
    generator: torch.Generator,
) -> Float[Tensor, " n *shape"]:
    """x_s from q(x_s | x_t, x_0), with a generated image in the place of x_0. Source: `eq-step-mixture`."""
    mean, variance = posterior(schedule, x0, x_t, t, s)
    noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
    return mean + variance.sqrt() * noise


@torch.no_grad()
def draw_in_steps(
    model: DenoisingGenerator,
    x_T: Float[Tensor, "n c h w"],
    times: list[int],
    generator: torch.Generator,
    *,
    y: Int[Tensor, " n"] | None = None,
) -> Float[Tensor, "n c h w"]:
    """From noise to images along the decreasing `times`, one evaluation a step, each with a z of its own."""
    x, schedule = x_T, schedule_on(model.schedule, x_T.device)
    for t, s in walk(schedule, times):
        z = torch.randn(len(x), model.noise_dim, generator=generator, device=x.device)
        x0 = model(x, same_time(x, int(t.t)), z, y)
        x = backward_step(schedule, x0, x, int(t.t), int(s.t), generator)
    return x
