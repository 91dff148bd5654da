"""A transformer as a denoiser: an image as a sequence of patches, told the time by adaLN-zero (DiT)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from gdmcourse.nn.attention import attend
from gdmcourse.nn.labels import check_labels
from gdmcourse.nn.time_embedding import TimeEmbedding, sinusoidal


class DiTBlock(nn.Module):
    """h + g ⊙ attention(s ⊙ norm(h) + b), then the same with a small network; g, s, b are told by c.

    (N, tokens, width) and c (N, width) to (N, tokens, width). The layer that tells them starts at zero, so
    that g = b = 0 and s = 1: the block starts as the identity. Source: `def-adaln-zero` (Peebles and Xie
    2023).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.tell = zero(nn.Linear(width, 6 * width))
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(
        self, h: Float[Tensor, "n tokens c"], told: Float[Tensor, "n c"]
    ) -> Float[Tensor, "n tokens c"]:
        """Apply the block."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.tell(F.silu(told))[:, None].chunk(6, dim=2)
        query, key, value = self.query_key_value(modulated(h, shift, scale)).chunk(3, dim=2)
        h = h + gate * self.out(attend(query, key, value, self.heads))
        return h + gate_2 * self.mlp(modulated(h, shift_2, scale_2))


class DiT(nn.Module):
    """A denoiser (x_t, t, y) → an image of the same shape: square images of `size` in patches of `patch`.

    Each patch becomes a vector of `width` numbers, to which those of its row and column are added; `blocks`
    blocks follow, and a last layer that starts at zero. With `num_classes` a label's embedding is added to
    the time's, and one row more, the null class, stands for "no label". Raises ValueError for a size that is
    no multiple of the patch, and a width that is none of 4 or of the number of heads.
    """

    def __init__(
        self,
        channels: int = 1,
        *,
        size: int,
        patch: int = 2,
        width: int = 80,
        blocks: int = 3,
        heads: int = 4,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        if size % patch:
            raise ValueError(f"the images' size must be a multiple of the patch, {patch}, and is {size}")
        if width % 4 or width % heads:
            raise ValueError(f"width must be a multiple of 4 and of heads = {heads}, not {width}")
        self.patch, self.num_classes, self.null_class = patch, num_classes, num_classes
        self.time = TimeEmbedding(128, width)
        self.label = None if num_classes is None else nn.Embedding(num_classes + 1, width)
        self.first = nn.Linear(channels * patch**2, width)
        self.register_buffer("places", places(size // patch, width), persistent=False)
        self.blocks = nn.ModuleList(DiTBlock(width, heads) for _ in range(blocks))
        self.tell, self.last = zero(nn.Linear(width, 2 * width)), zero(nn.Linear(width, channels * patch**2))

    def forward(
        self, x: Float[Tensor, "n c h w"], t: Shaped[Tensor, " n"], y: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Predict from the noisy image x at times t.

        Raises ValueError for a label that is out of range, or where the network has none.
        """
        told = self.embed(t, y)
        tokens = F.pixel_unshuffle(x, self.patch)  # (n, c · patch², rows, columns)
        h = self.first(tokens.flatten(2).transpose(1, 2)) + self.places
        for block in self.blocks:
            h = block(h, told)
        shift, scale = self.tell(F.silu(told))[:, None].chunk(2, dim=2)
        out = self.last(modulated(h, shift, scale)).transpose(1, 2).reshape(tokens.shape)
        return F.pixel_shuffle(out, self.patch)

    def embed(self, t: Shaped[Tensor, " n"], y: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n width"]:
        """The embedding of time plus that of the label; without a label, that of the null class."""
        embedding = self.time(t)
        if self.label is None:
            if y is not None:
                raise ValueError("this DiT was built without num_classes and takes no label y")
            return embedding
        if y is None:
            y = t.new_full(t.shape, self.null_class, dtype=torch.long)  # type: ignore[arg-type]
        elif not y.is_cuda:  # on a GPU the look would stop the queue, and the embedding checks there itself
            check_labels(y, self.label.num_embeddings)
        return embedding + self.label(y)


def modulated(
    h: Float[Tensor, "n tokens c"], shift: Float[Tensor, "n 1 c"], scale: Float[Tensor, "n 1 c"]
) -> Float[Tensor, "n tokens c"]:
    """Each token brought to mean 0 and variance 1, then scaled by 1 + `scale` and shifted (adaptive norm)."""
    return (1 + scale) * F.layer_norm(h, h.shape[2:]) + shift


def places(side: int, width: int) -> Float[Tensor, "tokens width"]:
    """Sines and cosines of the row, and of the column, of each of side × side patches."""
    one = sinusoidal(torch.arange(side), width // 2)
    rows, columns = one[:, None].expand(-1, side, -1), one[None].expand(side, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def zero(layer: nn.Linear) -> nn.Linear:
    """Set weight and bias to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
