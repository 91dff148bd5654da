"""A causal transformer in the pattern of GPT-2, whose cache makes a new symbol cost one place and not all."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from gdmcourse.likelihood.autoregressive import Autoregressive, check_begun, draw
from gdmcourse.nn.attention import attend, causal_mask

Cache = list[tuple[Tensor, Tensor]]  # keys and values of each layer, (n, places, width) each


def chunk_mask(past: int, new: int, device: torch.device | str | None = None) -> Bool[Tensor, "new places"]:
    """Which of `past` + `new` places each of the new ones sees: itself and all before. Source: `eq-ar-cache`.

    They are the last rows of the causal mask. A square triangle at the left, which is what `is_causal=True`
    of torch's attention means, counts from the wrong end where there is a past: row i would see the first i
    places of the text, and neither itself nor, as a rule, what came just before.
    """
    return causal_mask(past + new, device)[past:]


class Layer(nn.Module):
    """Attention to what came before, then a small network at each place; each adds to what it was given."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, h: Float[Tensor, "n new width"], past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Float[Tensor, "n new width"], tuple[Tensor, Tensor]]:
        """New places, behind those whose keys and values are `past`; and all keys and values."""
        query, key, value = self.query_key_value(self.norm_attention(h)).chunk(3, dim=2)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=1), torch.cat([past[1], value], dim=1)
        mask = chunk_mask(key.shape[1] - h.shape[1], h.shape[1], h.device)
        h = h + self.dropout(self.out(attend(query, key, value, self.heads, mask)))
        return h + self.dropout(self.mlp(self.norm_mlp(h))), (key, value)


class Transformer(Autoregressive):
    """Symbols and places as vectors of `width`, `layers` of attention and network, logits of the next symbol.

    For sequences of up to `length` symbols; a longer one raises ValueError. Source: `def-ar-attention`
    (Vaswani et al. 2017, Radford et al. 2019).
    """

    def __init__(
        self, levels: int, length: int, *, width: int, layers: int, heads: int, dropout: float = 0.0
    ) -> None:
        super().__init__(levels)
        if width % heads:
            raise ValueError(f"width must be a multiple of heads = {heads}, not {width}")
        self.symbols = nn.Embedding(levels, width)
        self.start = nn.Parameter(0.5 * torch.randn(width))
        self.places = nn.Parameter(0.5 * torch.randn(length, width))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(width, heads, dropout) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, levels)
        nn.init.normal_(self.symbols.weight, std=0.5)

    def embed(self, x: Int64[Tensor, "n d"]) -> Float[Tensor, "n d width"]:
        """The vector of each symbol."""
        return self.symbols(x)

    def begin(self, embedded: Float[Tensor, "n d width"]) -> Float[Tensor, "n more width"]:
        """What the network is given: the start, then the symbols."""
        return torch.cat([self.start.expand(len(embedded), 1, -1), embedded], dim=1)

    def logits(self, embedded: Float[Tensor, "n d width"]) -> Float[Tensor, "n d levels"]:
        """Place i is given symbol i − 1, and the first one the start."""
        return self.read(self.begin(embedded)[:, :-1], [])[0]

    def read(
        self, inputs: Float[Tensor, "n new width"], cache: Cache
    ) -> tuple[Float[Tensor, "n new levels"], Cache]:
        """The logits of the next places, and the cache with these in it; an empty one is a beginning."""
        past = cache[0][0].shape[1] if cache else 0
        end = past + inputs.shape[1]
        if end > len(self.places):
            raise ValueError(f"the transformer reads up to {len(self.places)} symbols, not {end}")
        h = self.dropout(inputs + self.places[past:end])
        kept = []
        for i, layer in enumerate(self.layers):
            h, now = layer(h, cache[i] if cache else None)
            kept.append(now)
        return self.head(self.norm(h)), kept


@torch.no_grad()
def sample_cached(
    model: Transformer,
    n: int,
    length: int,
    rng: torch.Generator,
    *,
    given: Int64[Tensor, "m begun"] | None = None,
) -> Int64[Tensor, "n length"]:
    """What `sample` draws, with each symbol read once: what is given at a go, then one after the other.

    Raises ValueError where `sample` does.
    """
    check_begun(model, n, length, given)
    x = torch.zeros(n, 0, dtype=torch.long, device=rng.device) if given is None else given
    cache: Cache = []
    inputs = model.begin(model.embed(x))
    while x.shape[1] < length:
        logits, cache = model.read(inputs, cache)
        x = torch.cat([x, draw(logits[:, -1], rng)[:, None]], dim=1)
        inputs = model.embed(x[:, -1:])
    return x
