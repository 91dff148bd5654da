"""A generator and a critic of volumes, by transposed convolutions in three directions.

Depth is a third direction of space for shapes (Wu et al. 2016) and time for films (Vondrick et al. 2016).
"""

from jaxtyping import Float
from torch import Tensor, nn


def check_volume(shape: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """A quarter of each side of volumes (C, D, H, W); ValueError for sides that aren't multiples of 4."""
    if any(side < 4 or side % 4 for side in shape[1:]):
        raise ValueError(f"the sides of a volume must be multiples of 4, not {'×'.join(map(str, shape[1:]))}")
    return shape[1] // 4, shape[2] // 4, shape[3] // 4


class VolumeGenerator(nn.Module):
    """Noise (N, noise_dim) to volumes (N, C, D, H, W) in [−1, 1]; two layers double all three sides."""

    def __init__(self, shape: tuple[int, int, int, int], noise_dim: int = 32, width: int = 8) -> None:
        super().__init__()
        small = (4 * width, *check_volume(shape))
        size = small[0] * small[1] * small[2] * small[3]
        layers: list[nn.Module] = [nn.Linear(noise_dim, size), nn.Unflatten(1, small)]
        for channels in (4 * width, 2 * width):
            layers += [nn.BatchNorm3d(channels), nn.ReLU()]
            layers += [nn.ConvTranspose3d(channels, channels // 2, 4, stride=2, padding=1)]
        layers += [nn.BatchNorm3d(width), nn.ReLU(), nn.Conv3d(width, shape[0], 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n c d h w"]:
        """A volume for each noise. Raises ValueError for one alone in training."""
        if self.training and len(z) < 2:
            raise ValueError(
                "batch norm needs at least two examples in training; raise batch_size, or call eval()"
            )
        return self.layers(z)


class VolumeCritic(nn.Module):
    """Volumes (N, C, D, H, W) to one logit each; two layers halve all three sides.

    A gradient penalty needs it without batch norm.
    """

    def __init__(self, shape: tuple[int, int, int, int], width: int = 8, batch_norm: bool = True) -> None:
        super().__init__()
        small = check_volume(shape)
        layers: list[nn.Module] = [nn.Conv3d(shape[0], width, 3, padding=1), nn.LeakyReLU(0.2)]
        for channels in (width, 2 * width):
            layers.append(nn.Conv3d(channels, 2 * channels, 4, stride=2, padding=1))
            layers += [nn.BatchNorm3d(2 * channels)] if batch_norm else []
            layers.append(nn.LeakyReLU(0.2))
        last = nn.Linear(4 * width * small[0] * small[1] * small[2], 1)
        self.layers = nn.Sequential(*layers, nn.Flatten(), last)

    def forward(self, x: Float[Tensor, "n c d h w"]) -> Float[Tensor, " n"]:
        """A logit for each volume, large where it looks real."""
        return self.layers(x).squeeze(1)
