"""A hidden Markov model: a chain of states that can't be seen, and an emission that each step shows."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.likelihood.hmm_emissions import Emission, as_log
from gdmcourse.likelihood.hmm_messages import Lengths, log_likelihood, quiet_padding
from gdmcourse.likelihood.hmm_viterbi import viterbi
from gdmcourse.likelihood.points import exact


class HMM(nn.Module):
    """K hidden states with P(z_1), (K,), and P(z_{t+1} | z_t), (K, K), and what they show (`def-hmm`).

    The tables are given as probabilities and kept as parameters in log space, so that the gradient of the
    log-likelihood with respect to an entry is how often it is expected to have been used. Sequences are
    (N, L) symbols or (N, L, D); where they differ in length they are padded at the end, and `lengths` (N,)
    says how long each is. Raises ValueError for tables of other shapes and rows that don't sum to one.
    """

    def __init__(
        self, initial: Float[Tensor, " k"], transition: Float[Tensor, "k k"], emission: Emission
    ) -> None:
        super().__init__()
        if initial.ndim != 1 or transition.shape != (len(initial), len(initial)):
            raise ValueError(
                f"initial must be (K,) and transition (K, K), not {tuple(initial.shape)} and "
                f"{tuple(transition.shape)}"
            )
        self.initial = nn.Parameter(as_log(initial, "initial"))
        self.transition = nn.Parameter(as_log(transition, "transition"))
        self.emission = emission

    def log_tables(
        self, x: Tensor, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, " k"], Float[Tensor, "k k"], Float[Tensor, "n l k"]]:
        """log P(z_1), log P(z_{t+1} | z_t) and log p(x_t | z_t), in float64, as messages and paths take them.

        Raises ValueError where there is nothing to read, and for an emission with another number of states.
        """
        if x.ndim < 2 or 0 in x.shape[:2]:
            raise ValueError(
                f"x must be (N, L) or (N, L, D) with at least one sequence of at least one step, "
                f"not {tuple(x.shape)}; leave empty sequences out"
            )
        told = self.emission.log_prob(quiet_padding(x, lengths))
        if told.shape[2] != len(self.initial):
            raise ValueError(f"the chain has {len(self.initial)} states and its emission {told.shape[2]}")
        return exact(self.initial), exact(self.transition), exact(told)

    def forward(self, x: Tensor, lengths: Lengths | None = None) -> Float[Tensor, " n"]:
        """The log-likelihood of each sequence, in nats and float64."""
        return log_likelihood(*self.log_tables(x, lengths), lengths)

    @torch.no_grad()
    def decode(self, x: Tensor, lengths: Lengths | None = None) -> Int64[Tensor, "n l"]:
        """The most probable states given each sequence; −1 beyond its end."""
        return viterbi(*self.log_tables(x, lengths), lengths)

    @torch.no_grad()
    def sample(self, n: int, length: int, rng: torch.Generator) -> tuple[Tensor, Int64[Tensor, "n l"]]:
        """`n` sequences, and the states behind them; raises ValueError unless both numbers are at least 1."""
        if n < 1 or length < 1:
            raise ValueError(f"at least one sequence of at least one step, not {n} of {length}")
        states = [torch.multinomial(self.initial.exp().expand(n, -1), 1, generator=rng)]
        for _ in range(length - 1):
            states.append(torch.multinomial(self.transition.exp()[states[-1][:, 0]], 1, generator=rng))
        path = torch.cat(states, dim=1)
        return self.emission.sample(path, rng), path
