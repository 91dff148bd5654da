"""How many floating-point operations a training takes: counted as it runs, and not reckoned from sizes."""

from contextlib import AbstractContextManager
from typing import Any

from torch.utils.flop_counter import FlopCounterMode


class _Anywhere(AbstractContextManager[None]):
    """Stands for the record of which module is at work, whose hooks can't bear a gradient of a gradient."""

    parents = ("Global",)

    def __exit__(self, *error: object) -> None:
        """Let errors pass."""


def operations() -> FlopCounterMode:
    """A counter of the operations of products and convolutions, gradients of gradients included.

    After `with operations() as counter:` ask `counter.get_total_flops()`; a multiplication and an addition
    are two.
    """
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Anywhere()  # type: ignore[assignment]
    return counter


def step_flops(recipe: Any, train: Any) -> float:
    """Operations of a step of a recipe's training on `train`: all networks, all moves, forth and back.

    The mean over one round of what isn't done in every step, such as a lazy penalty.
    """
    from dataclasses import replace

    steps = getattr(recipe, "penalty_every", 1)
    with operations() as counter:
        replace(recipe, steps=steps, warmup=None).train(train, progress=False)
    return counter.get_total_flops() / steps
