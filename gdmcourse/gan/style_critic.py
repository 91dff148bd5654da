"""The critic of a style-based generator: residual blocks of equalised convolutions."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gdmcourse.gan.dcgan import check_size
from gdmcourse.gan.equalised import EqualisedConv2d, EqualisedLinear, activate


class ResidualBlock(nn.Module):
    """Half the side and twice the channels, by a convolution and a linear way around it.

    The sum of the two is divided by √2, so that its size stays that of each.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = EqualisedConv2d(width, 2 * width, 3)
        self.around = EqualisedConv2d(width, 2 * width, 1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n two_c half_h half_w"]:
        """The block's outputs."""
        return (avg_pool2d(activate(self.inner(x)), 2) + self.around(avg_pool2d(x, 2))) / math.sqrt(2)


class StyleCritic(nn.Module):
    """Images (n, c, h, w) to one logit each; no logit depends on another image.

    Its last layer begins at 0: a critic that has learned nothing says ½.
    """

    def __init__(self, shape: tuple[int, int, int], width: int = 16) -> None:
        super().__init__()
        levels = check_size(shape)
        self.first = EqualisedConv2d(shape[0], width, 3)
        self.blocks = nn.ModuleList(ResidualBlock(width << level) for level in range(levels))
        size = (width << levels) * (shape[1] >> levels) * (shape[2] >> levels)
        self.hidden = EqualisedLinear(size, width << levels)
        self.last = EqualisedLinear(width << levels, 1)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """A logit for each image, large where it looks real."""
        x = activate(self.first(x))
        for block in self.blocks:
            x = block(x)
        return self.last(activate(self.hidden(x.flatten(1)))).squeeze(1)
