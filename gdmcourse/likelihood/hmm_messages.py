"""Sums over all paths of a hidden Markov chain, in log space: forward, backward, and what the states were.

A chain of K states has log P(z_1), (K,), log P(z_{t+1} | z_t), (K, K), and log p(x_t | z_t), (N, L, K), which
any kind of emission may give. Sequences of different length are padded at the end and `lengths` says where
each ends; a step whose log-likelihoods are all 0 says nothing of the states.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

from gdmcourse.likelihood.points import exact

Initial = Float[Tensor, " k"]
Transition = Float[Tensor, "k k"]
LogLikelihoods = Float[Tensor, "n l k"]
Lengths = Int64[Tensor, " n"]


class ImpossibleSequence(ValueError):
    """The model gives a sequence probability 0; `sequence` is its index."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        super().__init__(
            f"sequence {sequence} has probability 0 on every path of states; "
            "start from tables without zeros, or add a pseudo-count"
        )


def forward_messages(
    initial: Initial, transition: Transition, log_likelihoods: LogLikelihoods
) -> Float[Tensor, "n l k"]:
    """log p(x_1 … x_t, z_t) for every t, in nats. Source: `eq-hmm-forward`.

    This, and what follows, raises ValueError for tables of probabilities in the place of their logarithms.
    """
    check_logs(initial, transition)
    return _arriving(initial, transition, log_likelihoods) + log_likelihoods


def backward_messages(
    transition: Transition, log_likelihoods: LogLikelihoods, lengths: Lengths | None = None
) -> Float[Tensor, "n l k"]:
    """log p(x_{t+1} … x_L | z_t) for every t, in nats; 0 at the end of each sequence.

    It is the forward recursion on turned sequences with the transposed table, started from zeros and read
    at each step before that step's own log-likelihood is added.
    Source: `eq-hmm-backward`.
    """
    check_logs(transition)
    told = quiet_padding(log_likelihoods, lengths)
    return _arriving(torch.zeros_like(transition[0]), transition.mT, told.flip(1)).flip(1)


def log_likelihood(
    initial: Initial, transition: Transition, log_likelihoods: LogLikelihoods, lengths: Lengths | None = None
) -> Float[Tensor, " n"]:
    """log p(x) of each sequence, in nats.

    Its gradient with respect to an entry of a table is how often that entry is expected to have been used.
    Source: `eq-hmm-forward`, `eq-hmm-fisher`.
    """
    messages = forward_messages(initial, transition, log_likelihoods)
    if lengths is None:
        return messages[:, -1].logsumexp(1)
    check_lengths(lengths, messages)
    rows = torch.arange(len(messages), device=messages.device)
    return messages[rows, lengths - 1].logsumexp(1)


@dataclass(frozen=True)
class Posteriors:
    """What sequences tell of the states: p(z_t | x), 0 beyond the end, and how many moves i → j to expect."""

    log_likelihood: Float[Tensor, " n"]
    states: Float[Tensor, "n l k"]
    moves: Float[Tensor, "k k"]


@torch.no_grad()
def posteriors(
    initial: Initial, transition: Transition, log_likelihoods: LogLikelihoods, lengths: Lengths | None = None
) -> Posteriors:
    """The E-step of Baum and Welch, in float64. Source: `eq-hmm-smoothing`, `eq-hmm-pairs`.

    Raises `ImpossibleSequence` for one that has probability 0, and ValueError for one with nan in it.
    """
    check_logs(initial, transition)
    initial, transition = exact(initial), exact(transition)
    told = quiet_padding(exact(log_likelihoods), lengths)
    # Both directions at once, since a step on small tables costs mostly its overhead.
    start = torch.stack([initial, torch.zeros_like(initial)])
    both = _arriving(
        start[:, None], torch.stack([transition, transition.mT]), torch.stack([told, told.flip(1)])
    )
    arriving, backward = both[0], both[1].flip(1)
    joint = arriving + told + backward
    total = joint[:, 0].logsumexp(1)
    check_possible(total)
    states = (joint - total[:, None, None]).exp()
    leaving = (arriving + told)[:, :-1]
    entering = (told + backward)[:, 1:] - total[:, None, None]
    if lengths is not None:
        inside = mask(lengths, told)
        states = states * inside[:, :, None]
        entering = entering.masked_fill(~inside[:, 1:, None], -torch.inf)
    return Posteriors(total, states, _moves(leaving.flatten(0, 1), transition, entering.flatten(0, 1)))


def check_logs(*tables: Tensor) -> None:
    """Raise ValueError where an entry is above 0, which no logarithm of a probability is."""
    for table in tables:
        if bool((table > 1e-4).any()):  # rows that sum to one but for rounding may be a little above
            raise ValueError(
                f"the tables hold logarithms of probabilities, and {float(table.max()):.4g} is none; "
                "write table.log()"
            )


def check_possible(log_p: Float[Tensor, " n"]) -> None:
    """Raise `ImpossibleSequence` where it is −∞, and ValueError where it is nan."""
    for sequence in log_p.isneginf().nonzero().flatten().tolist():
        raise ImpossibleSequence(sequence)
    for sequence in log_p.isnan().nonzero().flatten().tolist():
        raise ValueError(f"sequence {sequence} has the log-likelihood nan; look for nan in it")


def check_lengths(lengths: Lengths, steps: Shaped[Tensor, "n l *d"]) -> None:
    """Raise ValueError unless there is one length a sequence, in 1 … L."""
    n, longest = steps.shape[:2]
    if lengths.shape != (n,):
        raise ValueError(f"lengths must be ({n},), one a sequence, not {tuple(lengths.shape)}")
    if n and not (int(lengths.min()) >= 1 and int(lengths.max()) <= longest):
        raise ValueError(
            f"lengths must be 1 … {longest}, not {int(lengths.min())} … {int(lengths.max())}; "
            "leave empty sequences out"
        )


def mask(lengths: Lengths, steps: Shaped[Tensor, "n l *d"]) -> Bool[Tensor, "n l"]:
    """Which steps belong to each sequence. Raises ValueError for lengths that can't be."""
    check_lengths(lengths, steps)
    return torch.arange(steps.shape[1], device=lengths.device) < lengths[:, None]


def quiet_padding(steps: Shaped[Tensor, "n l *d"], lengths: Lengths | None) -> Shaped[Tensor, "n l *d"]:
    """The steps of sequences, 0 beyond the end of each; for log-likelihoods `eq-hmm-quiet` says why."""
    if lengths is None:
        return steps
    beyond = ~mask(lengths, steps)
    return steps.masked_fill(beyond if steps.ndim == 2 else beyond[:, :, None], 0)


def _arriving(start: Tensor, table: Tensor, log_likelihoods: Tensor) -> Tensor:
    """What earlier steps tell each step: `start`, then m_{t+1}(j) = log Σ_i exp(m_t(i) + l_t(i) + a_ij).

    Leading dimensions of `start` (…, K) and `table` (…, K, K) are those of `log_likelihoods` (…, N, L, K).
    """
    steps = log_likelihoods.movedim(-2, 0).contiguous()  # so that all of a step lies together in memory
    messages, weights = [start.expand_as(steps[0])], table.exp()
    for told in steps[:-1]:
        messages.append(_log_matmul(messages[-1] + told, table, weights))
    return torch.stack(messages).movedim(0, -2)


def _log_matmul(log_rows: Tensor, table: Tensor, weights: Tensor) -> Tensor:
    """log Σ_i exp(log_rows_i + table_ij), where `weights` is exp(table).

    A product of matrices, after each row was divided by its largest entry. Terms that underflow beside that
    entry don't matter unless it has no way to j; such sums are small, and are done again term by term.
    """
    shift = _largest(log_rows)
    sums = (log_rows - shift).exp() @ weights
    small = sums < torch.finfo(sums.dtype).tiny ** 0.5
    if not small.any():
        return sums.log() + shift
    terms = log_rows[..., None] + table.unsqueeze(-3)
    dead = terms.isneginf().all(-2)  # a sum of nothing, whose gradient would be 0/0
    slow = terms.masked_fill(dead.unsqueeze(-2), 0.0).logsumexp(-2).masked_fill(dead, -torch.inf)
    return torch.where(small, slow, sums.masked_fill(small, 1.0).log() + shift)


def _moves(leaving: Tensor, table: Tensor, entering: Tensor) -> Tensor:
    """Σ_r exp(leaving_ri + table_ij + entering_rj), whose terms are probabilities, by a product of matrices.

    Beside a row's largest entry one may underflow whose partner overflows; such rows are done term by term.
    """
    shift = _largest(leaving)
    steep = (entering + shift).amax(1) > math.log(torch.finfo(table.dtype).max) / 2
    one_by_one = leaving[steep, :, None] + table + entering[steep, None, :]
    entering = (entering + shift).masked_fill(steep[:, None], -torch.inf)
    return (leaving - shift).exp().mT @ entering.exp() * table.exp() + one_by_one.exp().sum(0)


def _largest(rows: Tensor) -> Tensor:
    """The largest entry of each row, or the smallest number there is where all are −∞."""
    return rows.detach().amax(-1, keepdim=True).clamp(min=torch.finfo(rows.dtype).min)
