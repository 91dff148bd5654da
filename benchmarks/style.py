"""What lazy penalties cost: training steps of a style-based generator, with R1 and the path length."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import torch

from benchmarks.row import row
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.style import StyleRecipe
from gdmcourse.training.player import Turn, frozen

R1_EVERY, PATH_EVERY, PERIODS, REPEATS, THREADS, PRESET = 16, 4, 1, 5, 2, "laptop"


def stepper(recipe: StyleRecipe) -> Callable[[], None]:
    """A run of whole periods of the lazier penalty: losses and gradients of both players, no update."""
    train = recipe.data("train")
    networks = SimpleNamespace(**recipe.build(train))
    batch = tuple(part[: recipe.batch_size] for part in recipe.tensors(train))
    rng = torch.Generator().manual_seed(0)

    def run() -> None:
        for step in range(1, PERIODS * R1_EVERY + 1):
            for loss, waiting in (
                (recipe.critic_loss, networks.generator),
                (recipe.generator_loss, networks.critic),
            ):
                with frozen([waiting]):
                    loss(networks, batch, Turn(step, rng)).backward()

    return run


def rows() -> list[dict[str, str | float]]:
    """Median seconds a step of interleaved runs: lazy against eager, and against none."""
    torch.set_num_threads(THREADS)
    found = find_recipe("style-digits", PRESET)
    assert isinstance(found, StyleRecipe)
    ways = {
        "lazy": replace(found, penalty_every=R1_EVERY, path_every=PATH_EVERY),
        "eager": replace(found, penalty_every=1, path_every=1),
        "none": replace(found, penalty=None, path_weight=0.0),
    }
    runs = {name: stepper(recipe) for name, recipe in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(REPEATS + 1):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            if repeat:  # the first run of each warms up
                seconds[name].append((time.perf_counter() - begin) / (PERIODS * R1_EVERY))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    what = f"style-based generator, a step with R1 every {R1_EVERY}th and path length every {PATH_EVERY}th"
    return [
        row(f"{what} (peer: both at each step)", median["lazy"], median["eager"], "s", target=0.8),
        row(f"{what} (peer: neither)", median["lazy"], median["none"], "s", target=1.4),
    ]
