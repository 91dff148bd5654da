"""The games by name: what the critic makes small, and what the generator."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from gdmcourse.gan.losses import (
    discriminator_loss,
    hinge_critic_loss,
    non_saturating_loss,
    relativistic_loss,
    saturating_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)


class Objective(NamedTuple):
    """Two losses of the logits of real and of generated examples, in this order, each to be made small.

    Only where the loss is of `pairs` does the generator's depend on the real ones.
    """

    critic: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    pairs: bool = False


OBJECTIVES = {
    "saturating": Objective(discriminator_loss, lambda real, fake: saturating_loss(fake)),
    "non-saturating": Objective(discriminator_loss, lambda real, fake: non_saturating_loss(fake)),
    "wasserstein": Objective(wasserstein_critic_loss, lambda real, fake: wasserstein_generator_loss(fake)),
    "hinge": Objective(hinge_critic_loss, lambda real, fake: wasserstein_generator_loss(fake)),
    "relativistic": Objective(
        relativistic_loss, lambda real, fake: relativistic_loss(fake, real), pairs=True
    ),
}


def find_objective(name: str) -> Objective:
    """The game of that name; for an unknown one raises ValueError, which lists the known."""
    if name not in OBJECTIVES:
        raise ValueError(f"there is no objective {name!r}; there are: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]
