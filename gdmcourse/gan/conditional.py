"""A generator that is told which label to draw: the label's embedding joins the noise."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.gan.dcgan import ImageGenerator
from gdmcourse.nn.labels import check_labels

JOINS = ("concat", "product")


class ConditionalGenerator(nn.Module):
    """Noise (N, noise_dim) and labels (N,) to images (N, C, H, W) in [−1, 1].

    A label's embedding is a row of `noise_dim` learned numbers. `join="concat"` puts it behind the noise
    (Mirza and Osindero 2014), `join="product"` multiplies the noise by it, number by number.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        noise_dim: int = 32,
        width: int = 16,
        join: str = "concat",
    ) -> None:
        super().__init__()
        if join not in JOINS:
            raise ValueError(f"there is no join {join!r}; there are: {', '.join(JOINS)}")
        self.classes, self.noise_dim, self.join = classes, noise_dim, join
        self.embedding = nn.Embedding(classes, noise_dim)
        self.body = ImageGenerator(shape, noise_dim if join == "product" else 2 * noise_dim, width)

    def joined(self, z: Float[Tensor, "n noise_dim"], y: Int64[Tensor, " m"]) -> Float[Tensor, "n inputs"]:
        """What the body is given.

        Raises ValueError for labels out of range or not one for each noise, and for noise of another size.
        """
        check_labels(y, self.classes)
        if len(y) != len(z):
            raise ValueError(f"give one label for each noise, not {len(y)} labels for {len(z)}")
        if z.shape[1:] != (self.noise_dim,):
            raise ValueError(f"noise has {self.noise_dim} numbers here, not a shape of {tuple(z.shape)}")
        row = self.embedding(y)
        return z * row if self.join == "product" else torch.cat([z, row], dim=1)

    def forward(self, z: Float[Tensor, "n noise_dim"], y: Int64[Tensor, " m"]) -> Float[Tensor, "n c h w"]:
        """An image for each noise and label. Raises ValueError for one alone in training."""
        return self.body(self.joined(z, y))
