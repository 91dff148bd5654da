"""The U-Net of the diffusion chapters: down to a few pixels, up again, and across by skip connections."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from gdmcourse.nn.attention import Attention
from gdmcourse.nn.labels import NoNullClass, check_labels
from gdmcourse.nn.residual import ResidualBlock, group_norm, zero_init
from gdmcourse.nn.time_embedding import TimeEmbedding


class UNet(nn.Module):
    """A denoiser for images: (x_t, t, y) to an image of `out_channels` channels, by default those of x_t.

    Resolution r has width·multipliers[r] channels at 1/2^r of the size. On the way down each resolution but
    the last has `blocks` residual blocks and a strided convolution; the last one is the bottleneck, two
    residual blocks; on the way up come transposed convolutions, the skip connection and as many residual
    blocks. A resolution in `attention` starts with self-attention, and with cross-attention to `context`
    where `context_dim` is set.

    The time's embedding enters every residual block. With `num_classes` a label's embedding is added to
    it; one row more, the null class, stands for "no label" unless `null_class=False`. Raises ValueError for
    sizes that make no network.
    """

    def __init__(
        self,
        channels: int = 1,
        *,
        out_channels: int | None = None,
        width: int = 32,
        multipliers: Sequence[int] = (1, 2),
        blocks: int = 1,
        attention: Sequence[int] = (1,),
        embedding_dim: int = 128,
        num_classes: int | None = None,
        null_class: bool = True,
        context_dim: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        _check_sizes(width, multipliers, blocks, attention, dropout)
        self.num_classes = num_classes
        self.null_class = num_classes if num_classes is not None and null_class else None
        self.time = TimeEmbedding(embedding_dim, embedding_dim)
        rows = 0 if num_classes is None else num_classes + (self.null_class is not None)
        self.label = nn.Embedding(rows, embedding_dim) if rows else None

        def block(c_in: int, c_out: int) -> ResidualBlock:
            return ResidualBlock(c_in, c_out, embedding_dim, dropout)

        widths = [width * multiplier for multiplier in multipliers]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.attend, self.cross = nn.ModuleDict(), nn.ModuleDict()
        for resolution in attention:
            self.attend[str(resolution)] = Attention(widths[resolution])
            if context_dim is not None:
                self.cross[str(resolution)] = Attention(widths[resolution], context_dim=context_dim)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        for here, below in itertools.pairwise(widths):
            self.down.append(nn.ModuleList([block(here, here) for _ in range(blocks)]))
            self.shrink.append(nn.Conv2d(here, below, 3, stride=2, padding=1))
        self.middle = nn.ModuleList([block(widths[-1], widths[-1]) for _ in range(2)])
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for here, below in reversed(list(itertools.pairwise(widths))):
            self.grow.append(nn.ConvTranspose2d(below, here, 4, stride=2, padding=1))
            self.up.append(nn.ModuleList([block(2 * here if i == 0 else here, here) for i in range(blocks)]))
        last = zero_init(nn.Conv2d(width, out_channels or channels, 3, padding=1))
        self.last = nn.Sequential(group_norm(width), nn.SiLU(), last)

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        t: Shaped[Tensor, " n"],
        y: Int[Tensor, " n"] | None = None,
        *,
        context: Float[Tensor, "n length d"] | None = None,
        extra: Float[Tensor, "n e"] | None = None,
    ) -> Float[Tensor, "n c_out h w"]:
        """Predict from the noisy image x at times t; `extra` is added to the embedding of time and label.

        Raises ValueError if H or W cannot be halved at every level, if a label is out of range, if a
        label is passed to a network without labels, or if none is passed to a network that has labels but
        no null class.
        """
        times = 2 ** len(self.shrink)
        if x.shape[2] % times or x.shape[3] % times:
            raise ValueError(
                f"this U-Net halves the image {len(self.shrink)} times, so its height and width must be "
                f"multiples of {times}, not {x.shape[2]}×{x.shape[3]}"
            )
        embedding = self.embed(t, y)
        if extra is not None:
            embedding = embedding + extra
        h = self._attend(0, self.first(x), context)
        skips = []
        for resolution, (stage, shrink) in enumerate(zip(self.down, self.shrink, strict=True)):
            for block in stage:  # type: ignore[attr-defined]
                h = block(h, embedding)
            skips.append(h)
            h = self._attend(resolution + 1, shrink(h), context)
        for block in self.middle:
            h = block(h, embedding)
        for stage, grow in zip(self.up, self.grow, strict=True):
            h = torch.cat([grow(h), skips.pop()], dim=1)
            for block in stage:  # type: ignore[attr-defined]
                h = block(h, embedding)
        return self.last(h)

    def embed(self, t: Shaped[Tensor, " n"], y: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n e"]:
        """The embedding of time plus that of the label; without a label, that of the null class."""
        embedding = self.time(t)
        if self.label is None:
            if y is not None:
                raise ValueError("this U-Net was built without num_classes and takes no label y")
            return embedding
        if y is None:
            if self.null_class is None:
                raise NoNullClass()
            y = t.new_full(t.shape, self.null_class, dtype=torch.long)
        elif not y.is_cuda:  # on a GPU the look would stop the queue, and the embedding checks there itself
            check_labels(y, self.label.num_embeddings)
        return embedding + self.label(y)

    def _attend(self, resolution: int, h: Tensor, context: Tensor | None) -> Tensor:
        """Self-attention and cross-attention, where this resolution has them."""
        key = str(resolution)
        if key in self.attend:
            h = self.attend[key](h)
        if key in self.cross:
            h = self.cross[key](h, context)
        return h


def _check_sizes(
    width: int, multipliers: Sequence[int], blocks: int, attention: Sequence[int], dropout: float
) -> None:
    """Raise ValueError, naming what is wrong, for sizes of which no U-Net can be made."""
    for name, values in (("width", [width]), ("multipliers", multipliers), ("blocks", [blocks])):
        if not values or not all(isinstance(value, int) and value >= 1 for value in values):
            raise ValueError(f"a U-Net's {name} must be whole numbers from 1 up, not {list(values)}")
    if not all(isinstance(value, int) and 0 <= value < len(multipliers) for value in attention):
        raise ValueError(
            f"attention may be at the resolutions 0 … {len(multipliers) - 1}, not at {list(attention)}"
        )
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be in [0, 1), not {dropout}")


def source_unet(channels: int = 1, **options: int | bool | None) -> UNet:
    """The U-Net that the course's sources describe (28×28 digits): about 5 million parameters.

    A 3×3 convolution to 64 channels; two stages of a residual block and a strided convolution that
    doubles the channels; attention after the first of them; a bottleneck of two blocks; transposed
    convolutions; a 128-dimensional sinusoidal embedding of time. `options` are those of `UNet`, such as
    `num_classes`.
    """
    return UNet(channels, width=64, multipliers=(1, 2, 4), attention=(1,), embedding_dim=128, **options)  # type: ignore[arg-type]
