"""Valid, unique, new: scores of things that a model draws from a countable set, such as strings."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Novelty:
    """Shares of what was drawn, each of those that the one before leaves."""

    valid: float  # of all
    unique: float  # different ones, of the valid
    new: float  # of the valid, what isn't in the training set


def novelty(drawn: Sequence[str], training: Sequence[str], canonical: Callable[[str], str | None]) -> Novelty:
    """Scores of `drawn`; `canonical` gives one name for all that is the same, None for what is invalid.

    Every draw counts for `new`, not every different one, so that `expected_new` says what to hope for. Raises
    ValueError if there is no draw, or no valid one.
    """
    if not drawn:
        raise ValueError("there is nothing to score: draw at least one")
    valid = [name for text in drawn if (name := canonical(text)) is not None]
    if not valid:
        raise ValueError(f"none of the {len(drawn)} draws is valid, so none is unique or new")
    known = {canonical(text) for text in training}
    return Novelty(
        len(valid) / len(drawn), len(set(valid)) / len(valid), sum(v not in known for v in valid) / len(valid)
    )


def expected_distinct(law: Float[Tensor, " k"], draws: int) -> float:
    """How many different ones `draws` independent draws of a law have on average. Source: `eq-app-new`."""
    return (1 - (1 - law.double()) ** draws).sum().item()


def expected_new(law: Float[Tensor, " k"], training: int) -> float:
    """The chance that a draw isn't among `training` others of the same law. Source: `eq-app-new`."""
    return (law.double() * (1 - law.double()) ** training).sum().item()


def single_share(names: Sequence[str | None]) -> float:
    """Share of names that occur once, which estimates `expected_new` (Good 1953). Source: `eq-app-single`.

    Raises ValueError if there are no names.
    """
    if not names:
        raise ValueError("there are no names to count")
    return sum(count == 1 for count in Counter(names).values()) / len(names)
