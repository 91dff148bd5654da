"""What the records of other studies say of their claims, and where the evidence for each claim is found."""

import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from gdmcourse.studies.claims import HALF
from gdmcourse.studies.evidence import Contrast, contrast, log_ratio
from gdmcourse.studies.study import Rows


def by_scale(rows: Rows, way: str, score: str = "frechet") -> dict[float, dict[int, float]]:
    """A score of the study of guidance by scale and seed; at scale 0 all ways are one."""
    found: dict[float, dict[int, float]] = defaultdict(dict)
    for row in rows:
        if row["way"] in (way, "none"):
            found[row["scale"]][row["seed"]] = row[score]
    return found


def at_best(rows: Rows, way: str, above: float = 0.0) -> dict[int, float]:
    """By seed, the distance at the scale that is best on average over the *other* seeds, of those `above`."""
    table, found = by_scale(rows, way), {}
    for seed in table[0.0]:
        others = {
            scale: np.mean([value for other, value in values.items() if other != seed])
            for scale, values in table.items()
            if scale > above
        }
        found[seed] = table[min(others, key=lambda scale: others[scale])][seed]
    return found


def claim_7(rows: Rows) -> list[Contrast]:
    """Beyond the optimum it grows again."""
    table = by_scale(rows, "free")
    return contrast("classifier-free", log_ratio(table[max(table)], at_best(rows, "free")))


def claim_8(rows: Rows) -> list[Contrast]:
    """Against two models without guidance."""
    table, best = by_scale(rows, "free"), at_best(rows, "free", above=1.0)
    pairs = (("told no label", 0.0), ("told the label", 1.0))
    return [each for name, scale in pairs for each in contrast(name, log_ratio(table[scale], best))]


def claim_9(rows: Rows) -> list[Contrast]:
    """Two classifiers, each at its best."""
    return contrast("at its best scale", log_ratio(at_best(rows, "clean"), at_best(rows, "noisy")))


def by_seed(rows: Rows, way: str, images: int, score: str) -> dict[int, float]:
    """A score of the study of Diffusion-GAN."""
    return {row["seed"]: row[score] for row in rows if (row["way"], row["images"]) == (way, images)}


def claim_11(rows: Rows) -> list[Contrast]:
    """The same game from the same seed, on few images and on all."""
    found, sizes = [], sorted({row["images"] for row in rows})
    for images in sizes:
        plain, noise = (by_seed(rows, way, images, "frechet") for way in ("plain", "noise"))
        name = f"all {images:,} images" if images == sizes[-1] else f"{images:,} images"
        found += contrast(name, log_ratio(plain, noise))
    return found


def claim_12(rows: Rows) -> list[Contrast]:
    """On all images, for as many steps of as many images."""
    images = max(row["images"] for row in rows)
    noise, plain = (by_seed(rows, way, images, "cpu_seconds") for way in ("noise", "plain"))
    return contrast("equal steps", log_ratio(noise, plain))


def claim_16(rows: Rows) -> list[Contrast]:
    """The gradient of the generator's weights, at a critic of 16 moves and of the last."""
    last = max(row["moves"] for row in rows)

    def norm(loss: str, moves: int) -> dict[int, float]:
        return {row["seed"]: row["weights"] for row in rows if (row["loss"], row["moves"]) == (loss, moves)}

    starved = log_ratio(norm("saturating", 16), norm("saturating", last))
    spared = log_ratio(norm("wasserstein", last), norm("saturating", last))
    return contrast("a discriminator's", starved) + contrast("beside a Wasserstein critic", spared)


def claim_17(rows: Rows) -> list[Contrast]:
    """Latents of factor 2 with 2 channels."""
    pixels, latents = (
        {row["seed"]: row for row in rows if (row["factor"], row["channels"]) == size}
        for size in ((1, 1), (2, 2))
    )
    saved = math.log(pixels[0]["multiplications"] / latents[0]["multiplications"])
    distance = [{seed: row["frechet"] for seed, row in table.items()} for table in (pixels, latents)]
    equal = contrast("at a score no worse by half", (each + HALF for each in log_ratio(*distance)))
    return [Contrast("operations", (saved,), counted=True), *equal]


def claim_19(rows: Rows) -> list[Contrast]:
    """Recall at two scales."""
    table = by_scale(rows, "free", "recall")
    seeds = sorted(table[1.0])
    return contrast("scale 5 for 1", (table[1.0][seed] - table[5.0][seed] for seed in seeds))


ELSEWHERE: dict[int, Callable[[Rows], list[Contrast]]] = {
    7: claim_7,
    8: claim_8,
    9: claim_9,
    11: claim_11,
    12: claim_12,
    16: claim_16,
    17: claim_17,
    19: claim_19,
}
