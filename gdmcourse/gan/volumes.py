"""A generator and a critic of volumes, with convolutions in three directions next to the volume.

Depth is a third direction of space for shapes (Wu et al. 2016) and time for films (Vondrick et al. 2016).
Both papers stack such layers; volumes as small as ours need one, next to linear ones. Without batch norm in
either network: the critic has a gradient penalty, and the generator made worse volumes with it.
"""

from jaxtyping import Float
from torch import Tensor, nn


def check_volume(shape: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """Half of each side of volumes (C, D, H, W). Raises ValueError for sides that are odd."""
    if any(side < 2 or side % 2 for side in shape[1:]):
        raise ValueError(f"the sides of a volume must be even, not {'×'.join(map(str, shape[1:]))}")
    return shape[1] // 2, shape[2] // 2, shape[3] // 2


class VolumeGenerator(nn.Module):
    """Noise (N, noise_dim) to volumes (N, C, D, H, W); a transposed convolution doubles all sides."""

    def __init__(self, shape: tuple[int, int, int, int], noise_dim: int = 32, width: int = 16) -> None:
        super().__init__()
        small = (width, *check_volume(shape))
        size = small[0] * small[1] * small[2] * small[3]
        self.layers = nn.Sequential(
            nn.Linear(noise_dim, 16 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(16 * width, 16 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(16 * width, size),
            nn.LeakyReLU(0.2),
            nn.Unflatten(1, small),
            nn.ConvTranspose3d(width, shape[0], 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n c d h w"]:
        """A volume for each noise."""
        return self.layers(z)


class VolumeCritic(nn.Module):
    """Volumes (N, C, D, H, W) to one logit each; a strided convolution halves all sides."""

    def __init__(self, shape: tuple[int, int, int, int], width: int = 16) -> None:
        super().__init__()
        small = check_volume(shape)
        self.layers = nn.Sequential(
            nn.Conv3d(shape[0], width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(width * small[0] * small[1] * small[2], 16 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(16 * width, 1),
        )

    def forward(self, x: Float[Tensor, "n c d h w"]) -> Float[Tensor, " n"]:
        """A logit for each volume, large where it looks real."""
        return self.layers(x).squeeze(1)
