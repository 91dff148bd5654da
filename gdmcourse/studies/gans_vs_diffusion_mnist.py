"""The comparison on MNIST, at 28×28: a GAN and a DDPM of one budget, without a search.

`gdmcourse study gans_vs_diffusion_mnist` needs MNIST's files in the folder that `GDMCOURSE_DATA` names, and a
quarter of an hour of one core. With three seeds, fewer than a test needs, it shows what was seen and gives no
verdict. Each family has the settings of its recipe, at a constant rate.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import load
from gdmcourse.metrics.report import score_samples
from gdmcourse.studies.families import STEADY, UNET, Family, drawn
from gdmcourse.studies.judge import RULES, rounded
from gdmcourse.studies.record import save_picture
from gdmcourse.studies.runs import DRAWS, SHARES, run
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

NAME = "gans_vs_diffusion_mnist"
BUDGET = 1.5e12  # operations of a training, all of its networks together
SHOWN = 20  # samples of seed 0 in a family's picture
FAMILIES = {
    "gan": Family("r3gan-digits", {}, {**STEADY, "dataset": "mnist", "batch_size": 32, "width": 8}),
    "ddpm": Family("ddpm-mnist", {}, {**UNET, "width": 8}, (("dpm", 10),)),
}
REFERENCES = ("real", "memoriser", "one by one")


def picture_of(family: str) -> str:
    """The name of a family's picture."""
    return f"{NAME}_{family}"


def train_one(folder: Path, *, family: str, seed: int, sampler: tuple[str, int], **settings: Any) -> Rows:
    """Train once and look at four moments; at the end draw thrice."""

    def look(recipe: Any, model: nn.Module, share: float) -> Rows:
        found = []
        for draw in range(DRAWS if share == 1 else 1):
            rng = torch.Generator().manual_seed(derive_seed(seed, "draw", str(draw)))
            images = drawn(recipe, model, settings["samples"], rng, *sampler)
            found.append({"share": share, "draw": draw, **scores(images)})
            if share == 1 and seed == draw == 0:
                save_picture(picture_of(family), images[:SHOWN], folder)
        return found

    train = load("mnist", download=False)
    return [{"family": family, **run(folder, seed=seed, shares=SHARES, look=look, train=train, **settings)}]


def refer(folder: Path, *, rule: str, seed: int, samples: int) -> Rows:
    """Score images that a rule draws from the training split."""
    rng, train = torch.Generator().manual_seed(seed), load("mnist", download=False).images
    return [{"rule": rule, **scores(RULES[rule](train, samples, rng))}]


def scores(images: Tensor) -> dict[str, float | None]:
    """Distance, in units of two halves of the real images too, precision and recall; none without numbers."""
    names = ("frechet", "relative", "precision", "recall")
    if not images.isfinite().all():
        return dict.fromkeys(names)
    found = score_samples(images, dataset="mnist")
    return {name: rounded(getattr(found, name)) for name in names}


KINDS: dict[str, Any] = {"run": train_one, "reference": refer}


def measure(folder: Path, *, kind: str, seed: int, **settings: Any) -> Rows:
    """Measure a part of one of the two kinds. Raises MissingDataError where MNIST isn't there."""
    return [{"kind": kind, "seed": seed, **row} for row in KINDS[kind](folder, seed=seed, **settings)]


def study(*, seeds: int = 3, flops: float = BUDGET, samples: int = 1000, preset: str = "laptop") -> Study:
    """The study with so many seeds, one after the other."""
    fixed = {
        name: {
            "family": name,
            "recipe": family.recipe,
            "changes": family.base,
            "sampler": family.samplers[0],
            "flops": flops,
            "preset": preset,
        }
        for name, family in FAMILIES.items()
    }
    parts: list[dict[str, Any]] = []
    for seed in range(seeds):
        each = {"seed": seed, "samples": samples}
        parts += [{"kind": "run", **fixed[name], **each} for name in FAMILIES]
        parts += [{"kind": "reference", "rule": rule, **each} for rule in REFERENCES]
    return Study(
        name=NAME,
        parts=parts,
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "flops": flops, "samples": samples},
        files=tuple(f"{picture_of(name)}.png" for name in FAMILIES),
    )


STUDY = study()
