"""How fast this machine is just now, so that seconds measured here can be told at a reference speed.

Seconds at reference speed are CPU seconds, of user and system, times this speed. Other work on the machine
lengthens the seconds of a clock; these it changes far less.
"""

import math
import statistics
import time
from collections.abc import Callable

# A machine of speed 1 does so many in one second of CPU time, on one core.
PRODUCTS, CONVOLUTIONS = 1200.0, 450.0
SIDE, SHAPE, FILTERS = 384, (32, 32, 16, 16), (32, 32, 3, 3)
CALLS, REPEATS = 20, 5


def speed() -> float:
    """The speed of one core now: the geometric mean of that of a matrix product and of a convolution."""
    import torch

    torch.set_num_threads(1)
    matrix, images, filters = torch.ones(SIDE, SIDE), torch.ones(SHAPE), torch.ones(FILTERS)
    with torch.inference_mode():
        products = _rate(lambda: matrix @ matrix)
        convolutions = _rate(lambda: torch.nn.functional.conv2d(images, filters, padding=1))
    return round(math.sqrt(products / PRODUCTS * convolutions / CONVOLUTIONS), 3)


def _rate(call: Callable[[], object]) -> float:
    """Calls per second of this thread's CPU time: the median of some repeats after one to warm up."""
    seconds = []
    for _ in range(REPEATS + 1):
        start = time.thread_time()
        for _ in range(CALLS):
            call()
        seconds.append(time.thread_time() - start)
    return CALLS / statistics.median(seconds[1:])
