"""A denoising network that is asked once, at the last time, and so draws an image in one pass."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.diffusion.denoiser import schedule_on
from gdmcourse.diffusion.forward import x0_from_velocity
from gdmcourse.diffusion.schedule import Schedule


class OneStep(nn.Module):
    """Noise (N, C, H, W) and labels (N,) to images, by x̂_0 = a z − b v(z, T, y) of a network that predicts v.

    It begins as the network that it is given: as the first guess of a diffusion model, the mean of a class.
    """

    def __init__(self, network: nn.Module, schedule: Schedule) -> None:
        super().__init__()
        self.network, self.schedule = network, schedule

    def forward(
        self, z: Float[Tensor, "n c h w"], y: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """An image for each noise; not clipped, so that a gradient is left outside [−1, 1]."""
        t = self.schedule.T
        v = self.network(z, same_time(z, t), y)
        return x0_from_velocity(schedule_on(self.schedule, z.device), z, t, v)


def same_time(z: Tensor, t: int) -> Int[Tensor, " n"]:
    """The same time for each image."""
    return z.new_full((len(z),), t).long()
