"""What autoregressive models share: their likelihood, their sampler, the check that none looks ahead."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn


class Autoregressive(nn.Module):
    """A law of D symbols in a fixed order, each one of 0 … levels − 1. Source: `eq-ar-chain`.

    A model derives from it and defines `logits`, whose row i may depend on the symbols before place i alone.
    Raises ValueError for fewer than two levels.
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        if levels < 2:
            raise ValueError(f"a symbol needs at least 2 levels, not {levels}")
        self.levels = levels

    def embed(self, x: Int64[Tensor, "n d"]) -> Float[Tensor, "n d c"]:
        """What the network is given of each symbol: one number in [−1, 1]."""
        scaled = 2 * x.to(next(self.parameters()).dtype) / (self.levels - 1) - 1
        return scaled[..., None]

    def logits(self, embedded: Float[Tensor, "n d c"]) -> Float[Tensor, "n d levels"]:
        """The logits of every symbol given those before it."""
        raise NotImplementedError

    def forward(self, x: Int64[Tensor, "n d"]) -> Float[Tensor, "n d levels"]:
        """The same from symbols. Raises ValueError for fractions and, on the CPU, for one it doesn't know."""
        if x.is_floating_point():
            raise ValueError(f"symbols are whole numbers, not of {x.dtype}; `to_levels` makes them of pixels")
        if not x.is_cuda and x.numel() and (int(x.min()) < 0 or int(x.max()) >= self.levels):
            raise ValueError(f"symbols are 0 … {self.levels - 1}, not {int(x.min())} … {int(x.max())}")
        return self.logits(self.embed(x))


def log_prob(model: nn.Module, x: Int64[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """log p(x) in nats, exactly: the sum of the log-probabilities of the factors, in one pass."""
    return model(x).log_softmax(-1).gather(-1, x[..., None])[..., 0].sum(-1)


def draw(logits: Float[Tensor, "n levels"], rng: torch.Generator) -> Int64[Tensor, " n"]:
    """One symbol for each row of logits."""
    return torch.multinomial(logits.float().softmax(-1), 1, generator=rng)[:, 0]


def check_begun(model: nn.Module, n: int, length: int, given: Int64[Tensor, "m begun"] | None) -> None:
    """Raise ValueError if `n` sequences can't go on from `given`, or if dropout would disturb the law."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout) and layer.training and layer.p > 0:
            raise ValueError("call eval() on the model first: with dropout it draws from another law")
    if given is not None and (given.ndim != 2 or len(given) != n):
        raise ValueError(f"given must be ({n}, …), the first symbols of each, not {tuple(given.shape)}")
    if given is not None and given.shape[1] > length:
        raise ValueError(f"{given.shape[1]} symbols are given, more than the length {length} of a sample")
    if given is not None and given.is_floating_point():
        raise ValueError(f"given is of {given.dtype}, and symbols are whole numbers: write given.long()")
    if given is not None and given.numel() and isinstance(model, Autoregressive):
        low, high = int(given.min()), int(given.max())
        if low < 0 or high >= model.levels:
            raise ValueError(f"symbols are 0 … {model.levels - 1}, but given holds {low} … {high}")


@torch.no_grad()
def sample(
    model: nn.Module,
    n: int,
    length: int,
    rng: torch.Generator,
    *,
    given: Int64[Tensor, "m begun"] | None = None,
) -> Int64[Tensor, "n length"]:
    """`n` sequences, symbol after symbol, on the device of `rng`: a pass of the network for each of them.

    `given` holds the first symbols of each where these are known. What stands at places not drawn yet is 0;
    a model that doesn't look ahead can't tell. Raises ValueError if `given` is not of `n` sequences, longer
    than `length` or holds other than symbols, and for a model with dropout in training.
    """
    check_begun(model, n, length, given)
    x = torch.zeros(n, length, dtype=torch.long, device=rng.device)
    begun = 0 if given is None else given.shape[1]
    if given is not None:
        x[:, :begun] = given
    for i in range(begun, length):
        x[:, i] = draw(model(x)[:, i], rng)
    return x


def dependence(model: Autoregressive, x: Int64[Tensor, "n d"]) -> Bool[Tensor, "d d"]:
    """Which logits (rows) depend on which symbols (columns), by back-propagation from each row.

    An entry that is true on or above the diagonal proves that the network looks ahead; a false one says so
    for these weights and `x` only. Pass a network in float64, and several rows in `x`, so that no gradient
    vanishes by chance. Raises ValueError for no row at all, which would show nothing. Source:
    `eq-ar-triangular`.
    """
    if len(x) == 0:
        raise ValueError("x has no rows, so nothing could be found; give several sequences")
    with torch.enable_grad():
        embedded = model.embed(x).detach().requires_grad_()
        logits = model.logits(embedded)
        weights = torch.linspace(1, 2, logits.shape[-1]).to(logits)  # equal ones would cancel in a softmax
        rows = [
            torch.autograd.grad((logits[:, i] @ weights).sum(), embedded, retain_graph=True)[0]
            for i in range(logits.shape[1])
        ]
    return (torch.stack(rows) != 0).any(3).any(1)
