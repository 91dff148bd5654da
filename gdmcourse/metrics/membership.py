"""Who was in the training set? A test of membership by rank, with its exact law where nothing leaks."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.neighbours import distances
from gdmcourse.metrics.samples import check_features


@dataclass(frozen=True)
class Membership:
    """How well a score tells members from outsiders."""

    auc: float  # the chance that a member has the higher score; 1/2 where nothing leaks
    deviation: float  # standard deviation of `auc` where nothing leaks

    @property
    def deviations(self) -> float:
        """How many standard deviations `auc` is above one half."""
        return (self.auc - 0.5) / self.deviation


def membership(members: Float[Tensor, " n"], outsiders: Float[Tensor, " m"]) -> Membership:
    """Compare a score of training records with that of others, equal ones counted half (Mann and Whitney).

    A high score says "member". `deviation` is that of scores without ties. Raises ValueError if either is
    empty. Source: `eq-app-membership`.
    """
    n, m = len(members), len(outsiders)
    if not n or not m:
        raise ValueError(f"give at least one member and one outsider, not {n} and {m}")
    gap = members.double()[:, None] - outsiders.double()
    auc = (gap > 0).double().mean() + (gap == 0).double().mean() / 2
    return Membership(auc.item(), math.sqrt((n + m + 1) / (12 * n * m)))


def closeness(records: Float[Tensor, "n d"], released: Float[Tensor, "m d"]) -> Float[Tensor, " n"]:
    """Minus the distance of each record to the closest one that was released."""
    check_features(records, released, least=1)
    rows, others = records.detach().cpu().double(), released.detach().cpu().double()
    return torch.cat([-block.min(1).values for block in distances(rows, others)])
