"""Training and sampling on a device, in examples a second and as a share of what the device can do."""

import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import torch


@dataclass(frozen=True)
class Size:
    """How much is done."""

    preset: str
    warmup: int
    steps: int
    samples: int
    matrix: int  # rows of the matrices multiplied
    seconds: float  # nothing is begun after these
    images: int = 4096  # made up, since their content doesn't change how long they take
    compiled: tuple[bool, ...] = (False, True)  # each recipe is trained so, and drawn from as in the first


FULL = Size("gpu", warmup=20, steps=200, samples=64, matrix=8192, seconds=420)
# Operations are counted in an eager step of each recipe, so that its rehearsal has one of either kind.
SMOKE = Size("smoke", 1, steps=2, samples=2, matrix=128, seconds=600, images=256, compiled=(True,))


@dataclass(frozen=True)
class Measured:
    """One training: images a second, share of the matrix rate, and MiB of the card's memory at the peak."""

    speed: float
    share: float
    memory: float | None


def recipes() -> tuple[list[str], dict[str, str]]:
    """The names of what is trained, the largest of each kind first, and why the others aren't."""
    from gdmcourse.recipes import CATALOG, find_recipe

    left_out = {name: "needs another trained network" for name in CATALOG if find_recipe(name, "gpu").below()}
    kinds: dict[str, list[str]] = {}
    for name, (module, _) in CATALOG.items():
        if name not in left_out:
            kinds.setdefault(module, []).append(name)
    rounds = zip_longest(*(reversed(names) for names in kinds.values()))
    return [name for names in rounds for name in names if name], left_out


def data(recipe: Any, count: int) -> Any:
    """`count` random images with labels, of the right shape; the recipe's own data where it makes them."""
    from gdmcourse.data import CATALOG, Dataset
    from gdmcourse.data.levels import LEVELS, from_levels

    if getattr(recipe, "dataset", None) not in LEVELS:
        return recipe.data("train")

    rng = torch.Generator().manual_seed(0)
    levels, shape = LEVELS[recipe.dataset], CATALOG[recipe.dataset].shape
    images = from_levels(torch.randint(levels, (count, *shape), generator=rng), levels)
    labels = torch.randint(10, (count,), generator=rng)
    return Dataset(recipe.dataset, "train", images, labels, tuple("0123456789"))


def matrix_rate(device: torch.device, rows: int, repeats: int = 10) -> float:
    """Floating-point operations a second when bfloat16 matrices are multiplied; the best of `repeats`."""
    a, b = (torch.randn(rows, rows, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        started = _now(device)
        a @ b
        best = min(best, _now(device) - started)
    return 2 * rows**3 / best


def train(recipe: Any, device: torch.device, size: Size, compile: bool, rate: float) -> tuple[Measured, Any]:
    """Train for some steps; returns what was measured, and the network that was trained."""
    from gdmcourse.training import make_fabric, play
    from gdmcourse.training.flops import operations

    batches = data(recipe, size.images)

    def run(steps: int, compile: bool, after_step: Callable[[int], None] | None = None) -> Any:
        modules = recipe.build(batches)
        return play(
            modules,
            recipe.players(modules, device),
            recipe.tensors(batches),
            steps=steps,
            batch_size=recipe.batch_size,
            after_step=after_step,
            fabric=make_fabric(1, 1, recipe.precision, accelerator=device.type),
            progress=False,
            compile=compile,
        )

    with operations() as counter:
        run(1, compile=False)
    last, at = size.warmup + size.steps, dict[int, float]()

    def clock(step: int) -> None:
        if step in (size.warmup, last):
            at[step] = _now(device)

    torch.compiler.reset()  # else the eighth network of a kind would run uncompiled, without a word
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    played = run(last, compile, clock)
    seconds = (at[last] - at[size.warmup]) / size.steps
    memory = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else None
    share = counter.get_total_flops() / seconds / rate
    return Measured(recipe.batch_size / seconds, share, memory), played.best(recipe.result)


def sample(recipe: Any, network: Any, device: torch.device, n: int) -> float | None:
    """Samples a second, as the recipe draws them, from made-up images if it changes some; None if none."""
    rng = torch.Generator(device).manual_seed(0)
    made_up, recipe = data(recipe, n), copy(recipe)
    object.__setattr__(recipe, "data", lambda split: made_up)
    started = _now(device)
    drawn = recipe.sample(network, n, rng) if hasattr(recipe, "sample") else None
    if drawn is None:
        return None
    if not drawn.isfinite().all():
        raise ArithmeticError("there are samples that are not finite")
    return n / (_now(device) - started)


class Finding(NamedTuple):
    """One line of the report: a measured value, a check that holds, or what is wrong."""

    what: str
    value: float | None = None
    unit: str = ""
    wrong: str = ""

    def __str__(self) -> str:
        result = "holds" if self.value is None else f"{self.value:.4g} {self.unit}"
        return f"  {self.what}: " + (f"FAILED, {self.wrong}" if self.wrong else result)


def measure(device: torch.device, size: Size) -> Iterator[Finding]:
    """Check and measure, and yield what is found."""
    from benchmarks.gpu.checks import CHECKS, failures
    from gdmcourse.recipes import find_recipe

    end = time.monotonic() + size.seconds
    failed = failures(device)
    for check in CHECKS:
        yield Finding(f"check of {check.__name__}", wrong=failed.get(check.__name__, ""))
    rate = matrix_rate(device, size.matrix)
    yield Finding("matrix product, bfloat16", rate / 1e12, "TFLOP/s")
    for name in recipes()[0]:
        recipe = replace(find_recipe(name, size.preset), precision=find_recipe(name, "gpu").precision)
        for compile in size.compiled:
            what = f"{name}, {recipe.precision}, {'compiled' if compile else 'eager'}"
            if time.monotonic() > end:
                print(f"  {what}: left out, the time is up")
                continue
            try:
                found, network = train(recipe, device, size, compile, rate)
                memory = "" if found.memory is None else f", {found.memory:,.0f} MiB"
                detail = f"training at {found.share:.0%} of the matrix rate{memory}"
                yield Finding(f"{what}, {detail}", found.speed, "examples/s")
                speed = sample(recipe, network, device, size.samples) if compile == size.compiled[0] else None
                if speed is not None:
                    yield Finding(f"{name}, sampling", speed, "samples/s")
                del network  # whose memory isn't the next one's
            except Exception as error:  # such as too little memory: the others can still be measured
                yield Finding(what, wrong=f"{type(error).__name__}: {error}")


def _now(device: torch.device) -> float:
    """The time at which all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
