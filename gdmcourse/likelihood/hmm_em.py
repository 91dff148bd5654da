"""Baum and Welch's EM: from expected counts that are summed up, and from the gradient that holds them."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.likelihood.hmm import HMM
from gdmcourse.likelihood.hmm_emissions import log_shares
from gdmcourse.likelihood.hmm_messages import Lengths, posteriors, quiet_padding


@torch.no_grad()
def baum_welch_step(model: HMM, x: Tensor, lengths: Lengths | None = None) -> float:
    """One round of EM on all sequences, in place; returns the log-likelihood before it, in nats a sequence.

    Raises `ImpossibleSequence` for one that the model gives probability 0.
    Source: Baum et al. (1970); `eq-hmm-m-step`, `eq-hmm-monotone`.
    """
    told = posteriors(*model.log_tables(x, lengths), lengths)
    model.initial.copy_(log_shares(told.states[:, 0].sum(0), model.initial))
    model.transition.copy_(log_shares(told.moves, model.transition))
    model.emission.m_step(quiet_padding(x, lengths), told.states)
    return told.log_likelihood.mean().item()


class ExpectationMaximisation(torch.optim.Optimizer):
    """The M-step for log tables whose rows sum to one, given the gradient of minus the log-likelihood.

    The gradient of log p with respect to a log-probability is its expected count (`eq-hmm-fisher`), so new
    rows are counts divided by their sum. A row that nothing has used stays as it is.
    Needs all data in one batch: a step keeps nothing of earlier batches.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Set every row to its expected shares; a share is never quite 0, whose logarithm has no gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                shares = log_shares(-table.grad, table)
                table.copy_(shares.clamp(min=math.log(torch.finfo(table.dtype).tiny)))
