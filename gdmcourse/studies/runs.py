"""One run of a family: trained up to shares of its budget, and looked at there by the judge."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import load
from gdmcourse.studies.families import Samplers, Settings, configured, drawn, matched
from gdmcourse.studies.judge import DISTANCES, Judge, rounded
from gdmcourse.studies.record import processor
from gdmcourse.studies.study import Rows
from gdmcourse.training.randomness import derive_seed
from gdmcourse.training.run import NonFiniteLoss

SHARES = (0.125, 0.25, 0.5, 1.0)  # of the budget, after which a run is looked at
DRAWS = 3  # sampling seeds
TEMPERATURES = (0.6, 0.8)  # beside 1


def train_family(folder: Path, *, family: str, seed: int, samplers: Samplers, **settings: Any) -> Rows:
    """Train once and look at four moments; at the end draw thrice, by each sampler, and colder."""
    images, row = load("digits").images, {"family": family, "seed": seed}
    judge, n = Judge(images, load("digits", "test").images), settings["samples"]

    def score(
        recipe: Any, model: nn.Module, draw: int, how: tuple[str, int], temperature: float = 1.0
    ) -> Any:
        rng = torch.Generator().manual_seed(derive_seed(seed, "draw", str(draw)))
        return scores(judge, drawn(recipe, model, n, rng, *how, temperature), draw) | {
            "sampler": how[0],
            "evaluations": how[1],
            "temperature": temperature,
            "draw": draw,
        }

    def look(recipe: Any, model: nn.Module, share: float) -> Rows:
        first = samplers[0]
        found = [score(recipe, model, 0, first)]
        if share == 1:
            found += [score(recipe, model, draw, first) for draw in range(1, DRAWS)]
            found += [score(recipe, model, 0, how) for how in samplers[1:]]
            if first[0] != "own":
                found += [score(recipe, model, 0, first, heat) for heat in TEMPERATURES]
        return [{"share": share, **each} for each in found]

    return [row | run(folder, seed=seed, shares=SHARES, look=look, **settings)]


def move_rate(folder: Path, *, family: str, seed: int, rate: float, sampler: Any, **settings: Any) -> Rows:
    """Train at another rate, and score at the end."""
    judge = Judge(load("digits").images, load("digits", "test").images)

    def look(recipe: Any, model: nn.Module, share: float) -> Rows:
        rng = torch.Generator().manual_seed(derive_seed(seed, "draw", "0"))
        return [scores(judge, drawn(recipe, model, settings["samples"], rng, *sampler))]

    changes = {**settings.pop("changes")}
    changes["lr"] *= rate
    found = run(folder, seed=seed, shares=(1.0,), look=look, changes=changes, **settings)
    return [{"family": family, "seed": seed, "rate": rate, **found}]


def train_on_few(folder: Path, *, family: str, seed: int, images: int, sampler: Any, **settings: Any) -> Rows:
    """Train on so many images, which the seed chooses, and count copies among samples at four moments."""
    train = load("digits")
    rows = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:images]
    few = replace(train, images=train.images[rows], labels=train.labels[rows])
    judge = Judge(few.images, load("digits", "test").images)

    def look(recipe: Any, model: nn.Module, share: float) -> Rows:
        rng = torch.Generator().manual_seed(derive_seed(seed, "draw", "0"))
        got = scores(judge, drawn(recipe, model, settings["samples"], rng, *sampler))
        return [{"share": share, **{name: got.get(name) for name in (*DISTANCES, "copies")}}]

    found = run(folder, seed=seed, shares=SHARES, look=look, train=few, **settings)
    return [{"family": family, "seed": seed, "images": images, **found}]


def run(
    folder: Path,
    *,
    recipe: str,
    changes: Settings,
    seed: int,
    flops: float,
    samples: int,
    preset: str,
    shares: tuple[float, ...],
    look: Any,
    train: Any = None,
) -> dict[str, Any]:
    """Train up to each share of the budget in turn and look; the time is the processor's, of the training."""
    train, path = load("digits") if train is None else train, folder / "run"
    made, each = matched(configured(recipe, changes, seed, preset), train, flops)
    shutil.rmtree(path, ignore_errors=True)  # of a part that was stopped
    row: dict[str, Any] = {"changes": changes, "flops": rounded(made.steps * each), "steps": made.steps}
    row |= {"machine": processor(), "cpu_seconds": 0.0, "scores": []}
    for share in shares:
        stage = replace(made, steps=max(1, round(share * made.steps)))
        before = time.process_time()
        try:
            played = stage.train(train, checkpoint=path, progress=False)
        except NonFiniteLoss as error:
            return row | {"error": str(error)}
        row["cpu_seconds"] = rounded(row["cpu_seconds"] + time.process_time() - before)
        row["parameters"] = sum(p.numel() for net in played.modules.values() for p in net.parameters())
        row["scores"] += look(made, played.best(made.result).eval(), share)
    shutil.rmtree(path)
    return row


def scores(judge: Judge, images: Tensor, seed: int = 0) -> dict[str, Any]:
    """What the judge says, or without a number in it if an image has none."""
    if not images.isfinite().all():
        return {"frechet": None, "copies": None}
    return judge(images, seed)
