"""What a hidden state shows: symbols from tables, or numbers from Gaussians.

An emission is a module with `log_prob(x)`, log p(x_t | z_t) for every state, (N, L, K); `m_step(x, states)`,
which sets its parameters to their best values, where the states are told by their posteriors (N, L, K); and
`sample(states, rng)`.
"""

import math

import torch
from jaxtyping import Float, Int64, Num
from torch import Tensor, nn

from gdmcourse.likelihood.points import exact


def as_log(probabilities: Tensor, what: str) -> Tensor:
    """Logarithms of rows of probabilities. Raises ValueError for rows that don't sum to one."""
    sums = exact(probabilities).sum(-1)
    if not (bool((probabilities >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-5)):
        raise ValueError(
            f"{what}: each row must hold probabilities that sum to one, but sums run from "
            f"{float(sums.min()):.4g} to {float(sums.max()):.4g}; divide each row by its sum"
        )
    return probabilities.log()


class Emission(nn.Module):
    """What the chain asks of an emission."""

    def log_prob(self, x: Tensor) -> Float[Tensor, "n l k"]:
        """log p(x_t | z_t), in nats."""
        raise NotImplementedError

    def m_step(self, x: Tensor, states: Float[Tensor, "n l k"]) -> None:
        """Set the parameters that maximise Σ p(z_t | x) log p(x_t | z_t)."""
        raise NotImplementedError

    def sample(self, states: Int64[Tensor, "n l"], rng: torch.Generator) -> Tensor:
        """What states show, one draw each."""
        raise NotImplementedError


class SymbolEmission(Emission):
    """Symbols 0 … M − 1 from a table a state, (K, M); or D of them at a step, independent given the state.

    With a table (K, D, M) sequences are (N, L, D), else (N, L). The table is a parameter in log space.
    Raises ValueError for rows that don't sum to one.
    """

    def __init__(self, probabilities: Float[Tensor, "k *d m"]) -> None:
        super().__init__()
        self.table = nn.Parameter(as_log(probabilities, "emission"))

    def log_prob(self, x: Int64[Tensor, "n l *d"]) -> Float[Tensor, "n l k"]:
        """log p(x_t | z_t), in nats; raises ValueError for a symbol that the table doesn't have."""
        places = self._places(x)
        rows = self.table.flatten(1).mT  # (D·M, K): the log-likelihoods that each symbol brings
        told = nn.functional.embedding_bag(places.flatten(0, 1), rows, mode="sum")
        return told.unflatten(0, x.shape[:2])

    @torch.no_grad()
    def m_step(self, x: Int64[Tensor, "n l *d"], states: Float[Tensor, "n l k"]) -> None:
        """Each state's shares of symbols; a state that nothing has used keeps its table."""
        weights = exact(states).flatten(0, 1)
        counts = weights.new_zeros(self.table[0].numel(), weights.shape[1])
        for places in self._places(x).flatten(0, 1).unbind(1):
            counts.index_add_(0, places, weights)
        self.table.copy_(log_shares(counts.mT.reshape(self.table.shape), self.table))

    def sample(self, states: Int64[Tensor, "n l"], rng: torch.Generator) -> Int64[Tensor, "n l *d"]:
        """Symbols, one draw a place."""
        shares = self.table.detach().exp()[states]
        drawn = torch.multinomial(shares.flatten(0, -2), 1, generator=rng)
        return drawn.view(shares.shape[:-1])

    def _places(self, x: Tensor) -> Int64[Tensor, "n l d"]:
        """Where each symbol's column stands in the flat table."""
        symbols = self.table.shape[-1]
        if x.shape[2:] != self.table.shape[1:-1]:
            wanted = ", ".join(["N", "L", *map(str, self.table.shape[1:-1])])
            raise ValueError(f"sequences must be ({wanted}), not {tuple(x.shape)}")
        if x.numel() and (int(x.min()) < 0 or int(x.max()) >= symbols):
            raise ValueError(f"symbols are 0 … {symbols - 1}, not {int(x.min())} … {int(x.max())}")
        parts = x if x.ndim == 3 else x[:, :, None]
        return parts + symbols * torch.arange(parts.shape[2], device=x.device)


class GaussianEmission(Emission):
    """D numbers at a step, independent and Gaussian given the state: means and variances (K, D).

    No variance that EM sets falls below `floor`, so a state that shows one number all the time stays finite,
    and the likelihood still never falls (`eq-hmm-floor`). Raises ValueError for variances of another shape
    than the means', or below the floor: the likelihood could fall when EM lifts them. And for numbers that
    are not finite.
    """

    def __init__(
        self, means: Float[Tensor, "k d"], variances: Float[Tensor, "k d"], floor: float = 1e-6
    ) -> None:
        super().__init__()
        if means.ndim != 2 or variances.shape != means.shape:
            raise ValueError(
                f"means and variances must both be (K, D), not {tuple(means.shape)} and "
                f"{tuple(variances.shape)}"
            )
        if floor <= 0:
            raise ValueError(f"the floor must be above 0, not {floor}")
        if not bool((variances >= floor).all()):
            raise ValueError(
                f"no variance may start below the floor, {floor}; lower it or raise the variance"
            )
        if not bool(means.isfinite().all() and variances.isfinite().all()):
            raise ValueError("means and variances must be finite: a state with another one shows nothing")
        self.floor = floor
        self.register_buffer("means", means.clone())
        self.register_buffer("variances", variances.clone())
        self.means: Tensor
        self.variances: Tensor

    def log_prob(self, x: Float[Tensor, "n l d"]) -> Float[Tensor, "n l k"]:
        """log N(x_t; m_k, diag v_k), in nats; raises ValueError for other than D numbers a step."""
        if x.ndim != 3 or x.shape[2] != self.means.shape[1]:
            raise ValueError(f"sequences must be (N, L, {self.means.shape[1]}), not {tuple(x.shape)}")
        square = (x[:, :, None] - self.means).square() / self.variances
        return -0.5 * (square + (2 * math.pi * self.variances).log()).sum(-1)

    @torch.no_grad()
    def m_step(self, x: Num[Tensor, "n l d"], states: Float[Tensor, "n l k"]) -> None:
        """Weighted means and variances, the latter at least `floor`; an unused state keeps its own."""
        weights, points = exact(states).flatten(0, 1), exact(x).flatten(0, 1)
        counts = weights.sum(0)[:, None]
        used = counts > torch.finfo(self.means.dtype).tiny
        share = weights.mT / counts.where(used, torch.ones_like(counts))
        centre = points.mean(0)  # far from the origin the sums would lose what lies between the points
        means = torch.where(used, share @ (points - centre) + centre, exact(self.means))
        spread = torch.stack(
            [w @ (points - mean).square() for w, mean in zip(share, means, strict=True)]
        )  # deviations, never E[x²] − E[x]²: that difference goes negative
        self.means.copy_(means)
        self.variances.copy_(torch.where(used, spread.clamp(min=self.floor), exact(self.variances)))

    def sample(self, states: Int64[Tensor, "n l"], rng: torch.Generator) -> Float[Tensor, "n l d"]:
        """Numbers, one draw a place."""
        means = self.means[states]
        noise = torch.randn(means.shape, generator=rng, dtype=means.dtype, device=means.device)
        return means + self.variances[states].sqrt() * noise


def log_shares(counts: Tensor, before: Tensor) -> Tensor:
    """Logarithms of each row's shares, in the type of `before`, whose row stays where nothing was counted.

    Raises ValueError for counts that are nan.
    """
    total = counts.sum(-1, keepdim=True)
    if bool(total.isnan().any()):
        raise ValueError("an expected count is nan; look for nan in the data")
    return torch.where(total > 0, (counts / total).log(), before.to(counts)).to(before)
