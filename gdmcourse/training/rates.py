"""Learning rates as functions of the step: nothing to store, so a resumed run has the same rate."""

import math
from collections.abc import Callable


def warmup_cosine(peak: float, steps: int, warmup: int = 0) -> Callable[[int], float]:
    """A rate that rises linearly to `peak` in `warmup` steps and falls to 0 along half a cosine at `steps`.

    After Loshchilov and Hutter (2017). Raises ValueError unless 0 ≤ warmup < steps.
    """
    if not 0 <= warmup < steps:
        raise ValueError(f"warmup must be at least 0 and below steps, not {warmup} of {steps}")

    def rate(step: int) -> float:
        if step <= warmup:
            return peak * step / warmup
        return peak * (1 + math.cos(math.pi * min(1.0, (step - warmup) / (steps - warmup)))) / 2

    return rate
