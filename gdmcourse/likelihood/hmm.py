"""Hidden Markov models in log space: the forward recursion, Viterbi's path, and EM by the gradient.

A chain of K states has log P(z_1), (K,), log P(z_{t+1} | z_t), (K, K), and log p(x_t | z_t), (N, L, K), which
any kind of emission may give.
"""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn


def forward_messages(
    initial: Float[Tensor, " k"], transition: Float[Tensor, "k k"], emission: Float[Tensor, "n l k"]
) -> Float[Tensor, "n l k"]:
    """log p(x_1 … x_t, z_t) for every t; their logsumexp at the last t is the log-likelihood, in nats."""
    messages = [initial + emission[:, 0]]
    for log_likelihood in emission[:, 1:].unbind(1):
        messages.append(torch.logsumexp(messages[-1][:, :, None] + transition, dim=1) + log_likelihood)
    return torch.stack(messages, dim=1)


def viterbi(
    initial: Float[Tensor, " k"], transition: Float[Tensor, "k k"], emission: Float[Tensor, "n l k"]
) -> Int64[Tensor, "n l"]:
    """The most probable path of states given each sequence; among equals the lowest state."""
    best, back = initial + emission[:, 0], []
    for log_likelihood in emission[:, 1:].unbind(1):
        scores, previous = (best[:, :, None] + transition).max(dim=1)
        best = scores + log_likelihood
        back.append(previous)
    path = [best.argmax(dim=1)]
    for previous in reversed(back):
        path.append(previous.gather(1, path[-1][:, None])[:, 0])
    return torch.stack(path[::-1], dim=1)


class DiscreteHMM(nn.Module):
    """A chain of `states` hidden states that shows one of `symbols` at each step; its tables are learnt.

    Tables are parameters in log space, so that the gradient of the log-likelihood with respect to an entry is
    how often that entry is expected to have been used.
    """

    def __init__(self, states: int, symbols: int) -> None:
        super().__init__()
        self.initial = nn.Parameter(torch.randn(states).log_softmax(-1))
        self.transition = nn.Parameter(torch.randn(states, states).log_softmax(-1))
        self.emission = nn.Parameter(torch.randn(states, symbols).log_softmax(-1))

    def emitted(self, x: Int64[Tensor, "n l"]) -> Float[Tensor, "n l k"]:
        """log p(x_t | z_t) for every state; raises ValueError for a symbol that the model doesn't know."""
        symbols = self.emission.shape[1]
        if not x.is_cuda and (int(x.min()) < 0 or int(x.max()) >= symbols):
            raise ValueError(f"symbols are 0 … {symbols - 1}, not {int(x.min())} … {int(x.max())}")
        return self.emission.T[x]

    def forward(self, x: Int64[Tensor, "n l"]) -> Float[Tensor, " n"]:
        """The log-likelihood of each sequence, in nats."""
        return torch.logsumexp(forward_messages(self.initial, self.transition, self.emitted(x))[:, -1], dim=1)

    def decode(self, x: Int64[Tensor, "n l"]) -> Int64[Tensor, "n l"]:
        """The most probable states given each sequence."""
        return viterbi(self.initial, self.transition, self.emitted(x))

    @torch.no_grad()
    def sample(
        self, n: int, length: int, rng: torch.Generator
    ) -> tuple[Int64[Tensor, "n l"], Int64[Tensor, "n l"]]:
        """`n` sequences of symbols, and the states behind them."""
        state = torch.multinomial(self.initial.exp().expand(n, -1), 1, generator=rng)
        states = [state]
        for _ in range(length - 1):
            state = torch.multinomial(self.transition.exp()[state[:, 0]], 1, generator=rng)
            states.append(state)
        path = torch.cat(states, dim=1)
        symbols = torch.multinomial(self.emission.exp()[path.flatten()], 1, generator=rng)
        return symbols.view(n, length), path


class ExpectationMaximisation(torch.optim.Optimizer):
    """The M-step for log tables whose rows sum to one, given the gradient of minus the log-likelihood.

    The gradient of log p with respect to a log-probability is its expected count (Fisher's identity), so new
    rows are counts divided by their sum. A row that nothing has used stays as it is.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Set every row to its expected shares; a share is never quite 0, whose logarithm has no gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                counts = -table.grad
                total = counts.sum(-1, keepdim=True)
                shares = (counts / total).clamp(min=torch.finfo(table.dtype).tiny)
                table.copy_(torch.where(total > 0, shares.log(), table))
