"""The dice of an occasionally dishonest casino (Durbin et al. 1998), a chain with a hidden state."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor


class ChainParameters(NamedTuple):
    """A hidden Markov chain of K states and M symbols: P(z_1), P(z_{t+1} | z_t), P(x_t | z_t)."""

    initial: Float[Tensor, " k"]
    transition: Float[Tensor, "k k"]
    emission: Float[Tensor, "k m"]


def casino() -> ChainParameters:
    """State 0 is the fair die, state 1 one that shows a six half of the time; symbol 5 is the six."""
    return ChainParameters(
        torch.tensor([0.5, 0.5]),
        torch.tensor([[0.95, 0.05], [0.1, 0.9]]),
        torch.tensor([[1 / 6] * 6, [0.1] * 5 + [0.5]]),
    )


def roll_dice(n: int, length: int, rng: Generator) -> tuple[Int64[Tensor, "n l"], Int64[Tensor, "n l"]]:
    """`n` sequences of rolls, as symbols 0 … 5, and the dice that were thrown.

    Raises ValueError unless there is a sequence and it has a roll.
    """
    if n < 1 or length < 1:
        raise ValueError(f"at least one sequence of at least one roll, not {n} of {length}")
    initial, transition, emission = casino()
    state = torch.multinomial(initial.expand(n, -1), 1, generator=rng)
    states = [state]
    for _ in range(length - 1):
        state = torch.multinomial(transition[state[:, 0]], 1, generator=rng)
        states.append(state)
    dice = torch.cat(states, dim=1)
    rolls = torch.multinomial(emission[dice.flatten()], 1, generator=rng).view(n, length)
    return rolls, dice
