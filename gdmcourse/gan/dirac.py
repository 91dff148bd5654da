"""The smallest game: data at 0, a generator that puts its only point at θ, a critic f(x) = φx.

This is the Dirac-GAN of Mescheder et al. (2018). Much of what a GAN's training does near its goal can be
worked out on a plane of two numbers, the state (θ, φ).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Slope = Callable[[Tensor], Tensor]

# name: what the logit of the generated point is pushed by, down by the critic and up by the generator
SLOPES: dict[str, tuple[Slope, Slope]] = {
    "saturating": (torch.sigmoid, torch.sigmoid),
    "non-saturating": (torch.sigmoid, lambda f: torch.sigmoid(-f)),
    "wasserstein": (torch.ones_like, torch.ones_like),
}
# name: derivative of the penalty; the critic's gradient is φ everywhere
PENALTY_SLOPES: dict[str, Slope] = {
    "none": torch.zeros_like,
    "r1": lambda phi: phi,
    "r1+r2": lambda phi: 2 * phi,
    "unit-norm": lambda phi: 2 * (phi.abs() - 1) * phi.sign(),
}
ORDERS = ("simultaneous", "alternating", "flow")


@dataclass(frozen=True)
class DiracGAN:
    """The game under one of SLOPES, its critic held back by `weight` times one of PENALTY_SLOPES.

    Raises ValueError for a name that isn't there, and for a weight that is negative, not finite or has no
    penalty.
    """

    objective: str = "saturating"
    penalty: str = "none"
    weight: float = 0.0  # γ of R1 and R2, λ of WGAN-GP

    def __post_init__(self) -> None:
        for name, known in ((self.objective, SLOPES), (self.penalty, PENALTY_SLOPES)):
            if name not in known:
                raise ValueError(f"the Dirac-GAN has no {name!r}; it has: {', '.join(known)}")
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"the weight of a penalty must be at least 0 and finite, not {self.weight:g}")
        if self.weight and self.penalty == "none":
            penalties = list(PENALTY_SLOPES)[1:]
            raise ValueError(f"a weight of {self.weight:g} needs a penalty: {', '.join(penalties)}")

    def field(self, state: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """(dθ/dt, dφ/dt): minus the slope of each player's own loss in its own number (`eq-dirac-field`)."""
        theta, phi = state.unbind(-1)
        critic, generator = SLOPES[self.objective]
        pulled = self.weight * PENALTY_SLOPES[self.penalty](phi)
        return torch.stack([phi * generator(phi * theta), -theta * critic(phi * theta) - pulled], dim=-1)

    def jacobian(self, state: Float[Tensor, "2"]) -> Float[Tensor, "2 2"]:
        """Derivative of the field; its eigenvalues say what small deviations do.

        It has no meaning at φ = 0 of "unit-norm", where the field jumps.
        """
        return torch.func.jacrev(self.field)(state)

    def play(
        self, start: Float[Tensor, "*batch 2"], *, steps: int, rate: float, order: str = "simultaneous"
    ) -> Float[Tensor, "times *batch 2"]:
        """The states from `start` on, steps + 1 of them, after each step of size `rate`.

        In "simultaneous" order both players answer to the same state; in "alternating" order the critic moves
        first and the generator answers to that; "flow" follows the field itself, by Runge and Kutta's fourth
        order. Raises ValueError for another order.
        """
        if order not in ORDERS:
            raise ValueError(f"there is no order {order!r} of moves; there are: {', '.join(ORDERS)}")
        states = [start]
        for _ in range(steps):
            states.append(self._step(states[-1], rate, order))
        return torch.stack(states)

    def _step(self, state: Tensor, rate: float, order: str) -> Tensor:
        slope = self.field(state)
        if order == "simultaneous":
            return state + rate * slope
        if order == "alternating":
            moved = torch.stack([state[..., 0], state[..., 1] + rate * slope[..., 1]], dim=-1)
            answer = rate * self.field(moved)[..., 0]
            return torch.stack([moved[..., 0] + answer, moved[..., 1]], dim=-1)
        second = self.field(state + rate / 2 * slope)
        third = self.field(state + rate / 2 * second)
        fourth = self.field(state + rate * third)
        return state + rate / 6 * (slope + 2 * second + 2 * third + fourth)
