"""A causal transformer: sampling with its cache and without, and its training step against torch's encoder.

All numbers of a comparison come from one run, in turn. Both samplers draw the same symbols, and both training
steps are of networks of the same size with the same optimiser on the same batch.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.row import row
from gdmcourse.likelihood import Transformer, sample_cached
from gdmcourse.likelihood.autoregressive import draw

KINDS, WIDTH, LAYERS, HEADS, BATCH, THREADS, REPEATS = 64, 128, 4, 4, 16, 2, 5
LENGTHS = (64, 128, 256)


def transformer(length: int) -> Transformer:
    """A network of ours for sequences of this length."""
    torch.manual_seed(0)
    return Transformer(KINDS, length, width=WIDTH, layers=LAYERS, heads=HEADS)


class Encoder(nn.Module):
    """The same of torch's parts: embeddings, its encoder behind a causal mask, and logits."""

    def __init__(self, length: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.symbols, self.places = nn.Embedding(KINDS + 1, WIDTH), nn.Parameter(torch.zeros(length, WIDTH))
        self.layers = nn.TransformerEncoder(
            layer, LAYERS, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False
        )
        self.head = nn.Linear(WIDTH, KINDS)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each symbol given those before it; symbol KINDS is the start."""
        begun = torch.cat([torch.full_like(x[:, :1], KINDS), x[:, :-1]], dim=1)
        return self.head(self.layers(self.symbols(begun) + self.places, mask=self.mask, is_causal=True))


def step(model: nn.Module, length: int) -> Callable[[], Any]:
    """A training step on a batch."""
    optimizer = torch.optim.AdamW(model.train().parameters(), 1e-3, fused=True)
    x = torch.randint(KINDS, (BATCH, length), generator=torch.Generator().manual_seed(1))

    def run() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x).flatten(0, 1), x.flatten()).backward()
        optimizer.step()

    return run


def medians(*runs: Callable[[], Any]) -> list[float]:
    """Median seconds of each, run in turn; the first run of each isn't counted."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(REPEATS + 1):
        for side, run in zip(taken, runs, strict=True):
            begin = time.perf_counter()
            run()
            side.append(time.perf_counter() - begin)
    return [statistics.median(side[1:]) for side in taken]


@torch.no_grad()
def sample_plain(model: Transformer, n: int, length: int, rng: torch.Generator) -> Tensor:
    """Each symbol by a pass over what was drawn before it, as is done where there is no cache."""
    x = torch.zeros(n, 0, dtype=torch.long)
    while x.shape[1] < length:
        logits = model(nn.functional.pad(x, (0, 1)))  # the last place isn't drawn yet
        x = torch.cat([x, draw(logits[:, -1], rng)[:, None]], dim=1)
    return x


def sampling(length: int) -> tuple[float, float]:
    """Seconds to draw one sequence with the cache and without."""
    model = transformer(length).eval()
    draws = [
        lambda sampler=sampler: sampler(model, 1, length, torch.Generator().manual_seed(0))
        for sampler in (sample_cached, sample_plain)
    ]
    assert torch.equal(draws[0](), draws[1]()), "both samplers should draw the same symbols"
    cached, plain = medians(*draws)
    return cached, plain


def rows() -> list[dict[str, str | float]]:
    """Sampling at each length, how it grows with the length, and the training step."""
    torch.set_num_threads(THREADS)
    found = {length: sampling(length) for length in LENGTHS}
    peer = " (peer: without a cache)"
    made = [
        row(f"transformer, one sequence of {length} symbols, cached{peer}", *seconds, "s")
        for length, seconds in found.items()
    ]
    shortest, longest = found[LENGTHS[0]], found[LENGTHS[-1]]
    growth = [last / first for first, last in zip(shortest, longest, strict=True)]
    name = f"transformer, time for {LENGTHS[-1]} symbols over that for {LENGTHS[0]}, cached{peer}"
    made.append(row(name, *growth, ""))
    length = LENGTHS[0]
    ours, theirs = transformer(length), Encoder(length)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (ours, theirs)]
    assert sizes[0] == sizes[1], f"the networks should be of one size, not {sizes}"
    seconds = medians(step(ours, length), step(theirs, length))
    name = f"transformer, training step, {BATCH} sequences of {length} symbols (peer: torch's encoder)"
    return [*made, row(name, *seconds, "s")]
