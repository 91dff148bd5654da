"""What the comparison says of its claims: differences, one a seed, positive where the claim is right."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdmcourse.studies.evidence_recall import matched_recall
from gdmcourse.studies.study import Rows

DISTANCES = ("frechet", "frechet_pixels")


@dataclass(frozen=True)
class Contrast:
    """A condition under which a claim was measured, and the differences; a count needs no test."""

    condition: str
    differences: tuple[float, ...]
    counted: bool = False


def contrast(condition: str, differences: Iterable[float]) -> list[Contrast]:
    """The contrast in a list, or an empty one where nothing was measured."""
    values = tuple(differences)
    return [Contrast(condition, values)] if values else []


def worst(rows: Rows, distance: str = "frechet") -> float:
    """What a run without a number is given: the distance of pixels drawn one by one."""
    found = [row[distance] for row in rows if row["kind"] == "reference" and row["rule"] == "one by one"]
    if not found:
        raise ValueError("a run failed, and no row has pixels drawn one by one, as which it counts")
    return float(np.mean(found))


def finals(
    rows: Rows, family: str, score: str = "frechet", share: float = 1.0, **wanted: Any
) -> dict[int, float]:
    """By seed, the mean of a score over the draws of the family's first sampler after a share of the budget.

    A run that failed has the distance of pixels drawn one by one, and no other score.
    """
    found: dict[int, float] = {}
    for row in rows:
        if row["kind"] != "run" or row["family"] != family:
            continue
        first = next(iter(row["scores"]), {"sampler": "", "evaluations": 0})
        how = {"sampler": first["sampler"], "evaluations": first["evaluations"], "temperature": 1.0} | wanted
        values = [
            each.get(score)
            for each in row["scores"]
            if each["share"] == share and all(each[name] == value for name, value in how.items())
        ]
        if values and None not in values:
            found[row["seed"]] = float(np.mean(values))
        elif score in DISTANCES and not wanted:
            found[row["seed"]] = worst(rows, score)
    return found


def ratio(over: dict[int, float], under: dict[int, float]) -> dict[int, float]:
    """over/under for each seed that both have."""
    return {seed: over[seed] / under[seed] for seed in sorted(over.keys() & under.keys())}


def log_ratio(over: dict[int, float], under: dict[int, float]) -> list[float]:
    """log(over/under) for each seed that both have."""
    return [math.log(value) for value in ratio(over, under).values()]


def moved(rows: Rows, family: str, rate: float) -> dict[int, float]:
    """By seed, the distance after a training at another rate."""
    return {
        row["seed"]: (row["scores"] and row["scores"][0]["frechet"]) or worst(rows)
        for row in rows
        if row["kind"] == "rate" and row["family"] == family and row["rate"] == rate
    }


def sampling(rows: Rows) -> list[Contrast]:
    """Claims 1 and 14 from one measurement."""
    cost = [row for row in rows if row["kind"] == "cost"]
    gan = next((row["cpu_seconds"] for row in cost if row["family"] == "gan"), None)
    return [
        Contrast(
            f"{row['family']}, {row['sampler']} {row['evaluations']}",
            (math.log(row["cpu_seconds"] / gan),),
            counted=True,
        )
        for row in cost
        if gan and row["family"] not in ("gan", "wgan-gp", "vae")
    ]


def claim_1(rows: Rows) -> list[Contrast]:
    """Diffusion's samplers against one pass."""
    return [each for each in sampling(rows) if each.condition.startswith("ddpm")]


def claim_2(rows: Rows) -> list[Contrast]:
    """How much a wrong rate costs either."""
    found = []
    for name, rate in (("rate × ¼", 0.25), ("rate × 4", 4.0)):
        gan, ddpm = (ratio(moved(rows, each, rate), finals(rows, each)) for each in ("gan", "ddpm"))
        found += contrast(name, log_ratio(gan, ddpm))
    return found


def claim_3(rows: Rows) -> list[Contrast]:
    """Twenty-five Gaussians."""
    found = []
    for name, score, unit in (("modes found", "modes", 25), ("points within 3 σ", "high_quality", 1)):
        of = {
            family: {
                row["seed"]: row[score] for row in rows if row["kind"] == "modes" and row["family"] == family
            }
            for family in ("flow", "gan")
        }
        seeds = sorted(of["flow"].keys() & of["gan"].keys())
        found += contrast(name, ((of["flow"][seed] - of["gan"][seed]) / unit for seed in seeds))
    return found


def claim_4(rows: Rows) -> list[Contrast]:
    """Two moments of the same runs."""
    early = log_ratio(finals(rows, "ddpm", share=0.125), finals(rows, "gan", share=0.125))
    late = log_ratio(finals(rows, "gan"), finals(rows, "ddpm"))
    return contrast("the GAN leads at an eighth", early) + contrast("the DDPM leads at the end", late)


def claim_5(rows: Rows) -> list[Contrast]:
    """On two sets of features."""
    return [
        each
        for name, score in zip(("the classifier's features", "bare pixels"), DISTANCES, strict=True)
        for each in contrast(name, log_ratio(finals(rows, "gan", score), finals(rows, "ddpm", score)))
    ]


def seconds(rows: Rows, family: str) -> dict[int, float]:
    """By seed, seconds of training for one image."""
    return {
        row["seed"]: row["cpu_seconds"] / (row["steps"] * row["changes"]["batch_size"])
        for row in rows
        if row["kind"] == "run" and row["family"] == family
    }


def claim_6(rows: Rows) -> list[Contrast]:
    """Seconds of training, image by image."""
    ratios = log_ratio(seconds(rows, "ddpm"), seconds(rows, "gan"))
    return contrast("equal budgets", (each - math.log(10) for each in ratios))


def claim_10(rows: Rows) -> list[Contrast]:
    """Steps of DDIM from one network."""
    at = {n: finals(rows, "ddpm", sampler="ddim", evaluations=n) for n in (2, 4, 8, 16)}
    return [
        each
        for few, many in ((2, 4), (8, 16))
        for each in contrast(f"{many} steps for {few}", log_ratio(at[few], at[many]))
    ]


def claim_13(rows: Rows) -> list[Contrast]:
    """Pixels as the model draws them, and the mean images that papers show."""
    found = []
    for name, sampler in (("mean images", "means"), ("pixels drawn", "own")):
        detail = finals(rows, "vae", "detail", sampler=sampler)
        found += contrast(name, (-math.log(value) for _, value in sorted(detail.items())))
    return found


def claim_14(rows: Rows) -> list[Contrast]:
    """A gated PixelCNN that draws images of two sizes."""
    cost = {
        row["evaluations"]: row["cpu_seconds"]
        for row in rows
        if row["kind"] == "cost" and row["family"] == "pixelcnn"
    }
    if not cost:
        return []
    grows = Contrast("four times the pixels", (math.log(cost[64] / cost[16]),), counted=True)
    return [grows, *(each for each in sampling(rows) if each.condition == "pixelcnn, pixel by pixel 64")]


def claim_15(rows: Rows) -> list[Contrast]:
    """Sixty Gaussians in 64 dimensions."""
    mixture = {row["seed"]: row["frechet"] for row in rows if row.get("rule") == "mixture"}
    return contrast("64 dimensions", log_ratio(mixture, finals(rows, "ddpm")))


def claim_18(rows: Rows) -> list[Contrast]:
    """Two GANs."""
    return [
        each
        for name, family in (("the GAN", "gan"), ("WGAN-GP", "wgan-gp"))
        for each in contrast(f"against {name}", matched_recall(rows, "ddpm", family))
    ]


HERE: dict[int, Callable[[Rows], list[Contrast]]] = {
    1: claim_1,
    2: claim_2,
    3: claim_3,
    4: claim_4,
    5: claim_5,
    6: claim_6,
    10: claim_10,
    13: claim_13,
    14: claim_14,
    15: claim_15,
    18: claim_18,
}
