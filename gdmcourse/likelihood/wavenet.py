"""A WaveNet: dilated causal convolutions over a waveform (van den Oord et al. 2016)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.likelihood.autoregressive import Autoregressive
from gdmcourse.likelihood.masks import CausalConv1d


def receptive_field(kernel: int, dilations: Sequence[int]) -> int:
    """How many places a stack of causal convolutions spans, from the earliest that it sees to its own.

    It may leave some of them out, where dilations leave gaps. Source: `eq-ar-receptive-field`.
    """
    return 1 + (kernel - 1) * sum(dilations)


class WaveNet(Autoregressive):
    """Gated convolutions of kernel 2 with these dilations, each with a way past it and one to the output."""

    def __init__(self, levels: int, width: int, dilations: Sequence[int]) -> None:
        super().__init__(levels)
        self.dilations = tuple(dilations)
        self.first = nn.Conv1d(1, width, 1)
        self.gated = nn.ModuleList(CausalConv1d(width, 2 * width, 2, dilation) for dilation in dilations)
        self.on = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in dilations)
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv1d(width, 2 * width, 1), nn.ReLU(), nn.Conv1d(2 * width, levels, 1)
        )

    @property
    def sees(self) -> int:
        """How many symbols back a prediction can depend on."""
        return receptive_field(2, self.dilations)

    def logits(self, embedded: Float[Tensor, "n d c"]) -> Float[Tensor, "n d levels"]:
        """The symbols are moved one place on, so that a place's own is not among what it sees."""
        moved = F.pad(embedded.mT, (1, 0))[:, :, :-1]
        features = self.first(moved)
        total = torch.zeros_like(features)
        for gated, on in zip(self.gated, self.on, strict=True):
            value, gate = gated(features).chunk(2, dim=1)
            past, out = on(value.tanh() * gate.sigmoid()).chunk(2, dim=1)
            features, total = features + past, total + out
        return self.head(total).mT
