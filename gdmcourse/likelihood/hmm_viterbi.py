"""The most probable path of a hidden Markov chain."""

import torch
from jaxtyping import Int64
from torch import Tensor

from gdmcourse.likelihood.hmm_messages import (
    Initial,
    Lengths,
    LogLikelihoods,
    Transition,
    check_logs,
    check_possible,
    mask,
)

BEYOND = -1  # the state of a step beyond the end of its sequence


def viterbi(
    initial: Initial, transition: Transition, log_likelihoods: LogLikelihoods, lengths: Lengths | None = None
) -> Int64[Tensor, "n l"]:
    """The most probable path of states given each sequence, from log tables; −1 beyond its end.

    Of several best paths it is the one whose last state is lowest, among these the one whose last but one is,
    and so on. Raises `ImpossibleSequence` for one without a path, and ValueError for tables that are no
    logarithms. Source: Viterbi (1967); `eq-hmm-viterbi`.
    """
    check_logs(initial, transition)
    n, longest, _ = log_likelihoods.shape
    inside = None if lengths is None else mask(lengths, log_likelihoods)
    best, back = initial + log_likelihoods[:, 0], []
    stay = torch.arange(best.shape[1], device=best.device).expand(n, -1)
    for t in range(1, longest):
        scores, previous = (best[:, :, None] + transition).max(dim=1)
        scores = scores + log_likelihoods[:, t]
        if inside is not None:  # a sequence that has ended keeps its scores
            scores = torch.where(inside[:, t, None], scores, best)
            previous = torch.where(inside[:, t, None], previous, stay)
        best = scores
        back.append(previous)
    check_possible(best.amax(dim=1))
    path = [best.argmax(dim=1)]
    for previous in reversed(back):
        path.append(previous.gather(1, path[-1][:, None])[:, 0])
    states = torch.stack(path[::-1], dim=1)
    return states if inside is None else states.masked_fill(~inside, BEYOND)
