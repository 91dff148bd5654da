"""A generator and a critic of images, of strided convolutions (Radford, Metz and Chintala 2016)."""

from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.gan.spectral import spectral_norm

SMALLEST = 4  # pixels a side at which a network begins or ends, unless the image itself is small
NORMS = ("none", "batch", "spectral")


def check_size(shape: tuple[int, int, int]) -> int:
    """How often a network halves images of this shape (C, H, W): down to 4 pixels a side, at least twice.

    Raises ValueError for sides that can't be halved so often.
    """
    _, height, side = shape
    levels = 0
    while min(height, side) >> (levels + 1) >= SMALLEST and not (height | side) >> levels & 1:
        levels += 1
    levels = max(2, levels)
    if min(height, side) < 2**levels or (height | side) % 2**levels:
        raise ValueError(
            f"images of {height}×{side} pixels can't be halved {levels} times; scale them to a multiple of "
            f"{2**levels}, with size={max(1, round(side / 2**levels)) * 2**levels}"
        )
    return levels


class ImageGenerator(nn.Module):
    """Noise (N, noise_dim) to images (N, C, H, W) in [−1, 1], by transposed convolutions with batch norm.

    Each doubles the side and halves the channels, which end at `width`.
    """

    def __init__(self, shape: tuple[int, int, int], noise_dim: int = 32, width: int = 16) -> None:
        super().__init__()
        levels = check_size(shape)
        self.shape, self.noise_dim = shape, noise_dim
        small = (width << levels, shape[1] >> levels, shape[2] >> levels)
        layers: list[nn.Module] = [
            nn.Linear(noise_dim, small[0] * small[1] * small[2]),
            nn.Unflatten(1, small),
        ]
        for level in reversed(range(levels)):
            layers += [nn.BatchNorm2d(width << level + 1), nn.ReLU()]
            layers += [nn.ConvTranspose2d(width << level + 1, width << level, 4, stride=2, padding=1)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, shape[0], 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n c h w"]:
        """An image for each noise. Raises ValueError for one alone in training."""
        if self.training and len(z) < 2:
            raise ValueError(
                "batch norm needs at least two examples in training; raise batch_size, or call eval()"
            )
        return self.layers(z)


class ImageCritic(nn.Module):
    """Images (N, C, H, W) to one logit each, by strided convolutions with leaky ReLUs.

    `norm="batch"` puts batch norm between them, as DCGAN does, and "spectral" divides each weight by its
    spectral norm; a gradient penalty needs "none" or "spectral".
    """

    def __init__(self, shape: tuple[int, int, int], width: int = 16, norm: str = "none") -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"there is no norm {norm!r}; there are: {', '.join(NORMS)}")
        levels = check_size(shape)
        layers: list[nn.Module] = [nn.Conv2d(shape[0], width, 3, padding=1), nn.LeakyReLU(0.2)]
        for level in range(levels):
            layers.append(nn.Conv2d(width << level, width << level + 1, 4, stride=2, padding=1))
            if norm == "batch":
                layers.append(nn.BatchNorm2d(width << level + 1))
            layers.append(nn.LeakyReLU(0.2))
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.size = (width << levels) * (shape[1] >> levels) * (shape[2] >> levels)
        self.last = nn.Linear(self.size, 1)
        if norm == "spectral":
            for layer in (*self.convolutions, self.last):
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    spectral_norm(layer)

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n size"]:
        """What the last layer sees of each image."""
        return self.convolutions(x)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """A logit for each image, large where it looks real."""
        return self.last(self.features(x)).squeeze(1)
