"""GANs, diffusion models and others of one budget: quality, cost, stability, coverage and copies.

`gdmcourse study gans_vs_diffusion` trains what `equal_search` chose, ten times each, and measures it on the
held-out digits; half an hour on one core. What the claims are and when they hold is in `claims.py`.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data.catalog import load
from gdmcourse.likelihood.autoregressive import sample
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.autoregressive import PixelCNNRecipe
from gdmcourse.studies.equal_search import BUDGET, SAMPLES
from gdmcourse.studies.families import FAMILIES, Settings, configured, drawn, matched
from gdmcourse.studies.judge import RULES, Judge, reference_images, rounded
from gdmcourse.studies.record import record
from gdmcourse.studies.runs import move_rate, train_family, train_on_few
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.flops import operations
from gdmcourse.training.randomness import derive_seed

RATES = (0.25, 4.0)  # beside 1
UNSTABLE = ("gan", "ddpm")  # the two whose rate is moved, and which learn from few images
IMAGES, FEW_SEEDS = (50, 100, 200, 400), 6
POINTS = {"gan": "gan-grid", "flow": "flow-grid"}
POINT_BUDGET = 120e9
SIDES = (2, 4, 8)  # of the images that PixelCNN draws


def refer(folder: Path, *, rule: str, seed: int, samples: int) -> Rows:
    """Score images that a rule draws."""
    judge = Judge(load("digits").images, load("digits", "test").images)
    return [{"rule": rule, "seed": seed, **judge(reference_images(rule, samples, seed))}]


def count_modes(folder: Path, *, family: str, recipe: str, seed: int, flops: float, preset: str) -> Rows:
    """Train on twenty-five Gaussians and count the modes found."""
    made: Any = replace(find_recipe(recipe, preset), seed=seed, warmup=None)
    made, each = matched(made, made.data("train"), flops)
    made, before = replace(made, warmup=min(50, made.steps - 1)), time.process_time()
    model = made.train(progress=False).best(made.result)
    row = {"family": family, "seed": seed, "steps": made.steps, "flops": rounded(made.steps * each)}
    row["cpu_seconds"] = rounded(time.process_time() - before)
    return [row | made.metrics(model, torch.Generator().manual_seed(derive_seed(seed, "samples")))]


def cost(folder: Path, *, families: dict[str, Any], samples: int, preset: str) -> Rows:
    """What an image costs to draw, in operations and seconds, the same before training as after it.

    A gated PixelCNN of the book draws images of several sizes beside them.
    """
    rows: Rows = []

    def add(draw: Any, **row: Any) -> None:
        with operations() as counter:
            draw(2)
        before = time.process_time()
        draw(samples)
        took = (time.process_time() - before) / samples
        rows.append({**row, "flops": counter.get_total_flops() / 2, "cpu_seconds": rounded(took)})

    for name, family in families.items():
        made = configured(family["recipe"], family["changes"], 0, preset)
        model = made.build(made.data("train"))[made.result].eval()
        size = sum(p.numel() for p in model.parameters())
        for how in family["samplers"]:
            rng = torch.Generator().manual_seed(0)
            add(
                lambda n, how=how, made=made, model=model, rng=rng: drawn(made, model, n, rng, *how),
                family=name,
                sampler=how[0],
                evaluations=how[1],
                parameters=size,
            )
    pixelcnn = find_recipe("pixelcnn-digits", preset)
    assert isinstance(pixelcnn, PixelCNNRecipe)
    for side in SIDES:
        network = pixelcnn.network((1, side, side)).eval()
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            add(
                lambda n, net=network, pixels=side**2, rng=rng: sample(net, n, pixels, rng),
                family="pixelcnn",
                sampler="pixel by pixel",
                evaluations=side**2,
                parameters=sum(p.numel() for p in network.parameters()),
            )
    return rows


KINDS: dict[str, Any] = {
    "run": train_family,
    "rate": move_rate,
    "few": train_on_few,
    "reference": refer,
    "modes": count_modes,
    "cost": cost,
}


def measure(folder: Path, *, kind: str, settings: dict[str, Any]) -> Rows:
    """Measure a part of one of the kinds."""
    return [{"kind": kind, **row} for row in KINDS[kind](folder, **settings)]


def study(
    *,
    seeds: int = 10,
    flops: float = BUDGET,
    points: float = POINT_BUDGET,
    samples: int = SAMPLES,
    preset: str = "laptop",
) -> Study:
    """The study with so many seeds: the runs that most claims need first, each kind seed by seed."""
    search = record("equal_search")["chosen"]
    sizes: Settings = {"samples": samples, "preset": preset}
    names = {name: family for name, family in FAMILIES.items() if name in search}
    fixed = {
        name: {"family": name, "recipe": family.recipe, "changes": search[name], "flops": flops, **sizes}
        for name, family in names.items()
    }
    first = {name: {**fixed[name], "sampler": names[name].samplers[0]} for name in UNSTABLE}
    parts: list[tuple[str, Settings]] = []
    for seed in range(seeds):
        for name, family in names.items():
            parts.append(("run", {**fixed[name], "seed": seed, "samplers": family.samplers}))
        parts += [("reference", {"rule": rule, "seed": seed, "samples": samples}) for rule in RULES]
    every = {
        name: {"recipe": family.recipe, "changes": search[name], "samplers": family.samplers}
        for name, family in names.items()
    }
    parts.append(("cost", {"families": every, **sizes}))
    for seed in range(seeds):
        parts += [("rate", {**first[name], "seed": seed, "rate": r}) for r in RATES for name in UNSTABLE]
        for name, recipe in POINTS.items():
            point = {"family": name, "recipe": recipe, "seed": seed, "flops": points}
            parts.append(("modes", {**point, "preset": preset}))
    for seed in range(min(seeds, FEW_SEEDS)):
        parts += [("few", {**first[name], "seed": seed, "images": n}) for n in IMAGES for name in UNSTABLE]
    return Study(
        name="gans_vs_diffusion",
        parts=[{"kind": kind, "settings": settings} for kind, settings in parts],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "flops": flops, "samples": samples},
    )


def __getattr__(name: str) -> Study:
    """STUDY, made when it is asked for, since its parts are what the search chose."""
    if name == "STUDY":
        return study()
    raise AttributeError(name)
