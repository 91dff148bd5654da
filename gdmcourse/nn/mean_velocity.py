"""A U-Net that is told where a jump begins and how long it is."""

from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from gdmcourse.nn.time_embedding import TimeEmbedding
from gdmcourse.nn.unet import UNet


class MeanVelocityUNet(nn.Module):
    """A U-Net with a second embedding, of the length of a jump, which at first adds nothing.

    So it begins as the U-Net that it is given.
    """

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network
        dim = network.time.dim
        self.length = TimeEmbedding(dim, dim)
        last = self.length.project[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    @property
    def null_class(self) -> int | None:
        """The label that stands for none."""
        return self.network.null_class

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        t: Shaped[Tensor, " n"],
        length: Shaped[Tensor, " n"],
        y: Int[Tensor, " n"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """The mean velocity over a jump of this length from time t, in the units of the embedding."""
        return self.network(x, t, y, extra=self.length(length))
