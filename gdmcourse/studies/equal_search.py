"""The same random search for every family: trials of one budget, judged by a part of the training images.

`gdmcourse study equal_search` trains twenty configurations of each family, ten minutes on one core; what
it chooses, `gans_vs_diffusion` trains. The held-out digits have no part in it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data.catalog import load
from gdmcourse.data.dataset import Dataset
from gdmcourse.studies.families import FAMILIES, configured, drawn, matched
from gdmcourse.studies.judge import Judge
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed
from gdmcourse.training.run import NonFiniteLoss

BUDGET = 60e9  # operations of a training, all of its networks together
SAMPLES = 400
TRIALS = 20
EVERY = 5  # of the training images, the validation part has every fifth


def carved() -> tuple[Dataset, Dataset]:
    """The training split without the validation part, and that part."""
    train = load("digits")
    held = torch.arange(len(train)) % EVERY == EVERY - 1
    parts = [replace(train, images=train.images[rows], labels=train.labels[rows]) for rows in (~held, held)]
    return parts[0], parts[1]


def measure(
    folder: Path,
    *,
    family: str,
    trial: int,
    recipe: str,
    changes: dict[str, Any],
    sampler: tuple[str, int],
    flops: float,
    samples: int,
    preset: str,
) -> Rows:
    """Train a configuration and score its samples against the validation part; a failure has no score."""
    train, validation = carved()
    made = configured(recipe, changes, seed=derive_seed(trial, "search"), preset=preset)
    made, each = matched(made, train, flops)
    row: dict[str, Any] = {"family": family, "trial": trial, "changes": changes, "steps": made.steps}
    row |= {"flops": made.steps * each, "frechet": None}
    try:
        model = made.train(train, progress=False).best(made.result).eval()
    except NonFiniteLoss as error:
        return [{**row, "error": str(error)}]
    images = drawn(made, model, samples, torch.Generator().manual_seed(trial), *sampler)
    if not images.isfinite().all():
        return [{**row, "error": "the samples are not finite"}]
    return [row | Judge(train.images, validation.images)(images)]


def chosen(rows: Rows) -> dict[str, dict[str, Any]]:
    """Of each family the changes with the smallest distance to the validation part."""
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = best.get(row["family"])
        if row["frechet"] is not None and (before is None or row["frechet"] < before["frechet"]):
            best[row["family"]] = row
    return {family: row["changes"] for family, row in best.items()}


def study(
    *, trials: int = TRIALS, flops: float = BUDGET, samples: int = SAMPLES, preset: str = "laptop"
) -> Study:
    """The study with so many trials of each family, one trial of all before the next."""
    return Study(
        name="equal_search",
        parts=[
            {
                "family": name,
                "trial": trial,
                "recipe": family.recipe,
                "changes": {**family.base, **family.draw(trial)},
                "sampler": family.samplers[0],
                "flops": flops,
                "samples": samples,
                "preset": preset,
            }
            for trial in range(trials)
            for name, family in FAMILIES.items()
        ],
        measure=measure,
        content=lambda rows: {"rows": rows, "trials": trials, "flops": flops, "chosen": chosen(rows)},
    )


STUDY = study()
