"""One scale for the models of likelihood: bits a pixel of held-out digits, from several seeds.

`gdmcourse study held_out_bits` trains every model five times, about half an hour on one core.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from gdmcourse.data.catalog import load
from gdmcourse.data.levels import LEVELS, bits_per_dim, dequantise, to_levels
from gdmcourse.diffusion.bound import variational_bound
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.likelihood.gmm import Covariance, fit_gmm
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

NETWORKS = (
    "hmm-digits",
    "made-digits",
    "pixelcnn-digits",
    "rowlstm-digits",
    "transformer-digits",
    "vae-digits",
    "flow-digits",
)
LEVEL = LEVELS["digits"]
# What a mixture is chosen from, by a part of the training images: covariances, and how many components.
MIXTURES: list[tuple[Covariance, int]] = [
    *(("full", k) for k in (1, 2, 5, 10)),
    *(("diag", k) for k in (10, 20, 40, 80)),
]
FIRST, STEP = 40, 10  # the diffusion model's first time after 0, where the bound is best, and its jumps


def measure(folder: Path, *, model: str, seed: int, preset: str) -> Rows:
    """Train the model from this seed; a row for each way to count its bits, their mean and scatter."""
    rng = torch.Generator().manual_seed(derive_seed(seed, "held-out"))
    with torch.no_grad():
        found = (
            WITHOUT_TRAINING[model](rng)
            if model in WITHOUT_TRAINING
            else trained_bits(model, seed, preset, rng)
        )
    bits = {kind: each.double() for kind, each in found.items()}
    return [
        {
            "model": model,
            "kind": kind,
            "seed": seed,
            "bits": each.mean().item(),
            "between_images": each.std().item(),
        }
        for kind, each in bits.items()
    ]


def trained_bits(model: str, seed: int, preset: str, rng: torch.Generator) -> dict[str, Tensor]:
    """Bits of each held-out image by a network that is trained here."""
    recipe = replace(find_recipe(model, preset), seed=seed)
    with torch.enable_grad():
        network = recipe.train(progress=False).best(recipe.result).eval()
    if isinstance(recipe, DDPMRecipe):
        return {"bound": diffusion_bits(recipe, recipe.denoiser(network), rng)}
    return recipe.held_out_bits(network, rng)  # type: ignore[attr-defined]


def diffusion_bits(recipe: DDPMRecipe, denoiser: Denoiser, rng: torch.Generator) -> Tensor:
    """The bound without labels, over jumps; the variance is the one that suits the training images better."""
    stops = torch.tensor([0, *range(FIRST, recipe.T, STEP), recipe.T])
    _, jumps = recipe.schedule().between(stops[:-1], stops[1:])
    schedule = Schedule.from_betas(jumps)

    def bits(images: Tensor, variance: str) -> Tensor:
        bound = variational_bound(
            lambda x, i, y: denoiser(x, stops[i], y),
            schedule,
            images,
            variance=variance,  # type: ignore[arg-type]
            grey_levels=LEVEL,
            generator=rng,
        )
        return bound.bits_per_dim

    known = recipe.data("train").images[:200]
    better = min(("small", "large"), key=lambda variance: bits(known, variance).mean().item())
    return bits(recipe.data("test").images, better)


def uniform_bits(rng: torch.Generator) -> dict[str, Tensor]:
    """Of a code that knows nothing."""
    n = len(load("digits", "test"))
    return {"exact": torch.full((n,), float(LEVEL)).log2()}


def histogram_bits(rng: torch.Generator) -> dict[str, Tensor]:
    """Each pixel by itself: how often a level occurs there, plus one so that none is impossible."""
    train, test = (to_levels(load("digits", split).images, LEVEL).flatten(1) for split in ("train", "test"))
    counts = F.one_hot(train, LEVEL).sum(0).double() + 1
    law = (counts / counts.sum(1, keepdim=True)).log()
    nats = law[torch.arange(law.shape[0]), test].sum(1)
    return {"exact": bits_per_dim(nats, law.shape[0])}


def mixture_bits(rng: torch.Generator) -> dict[str, Tensor]:
    """A mixture of Gaussians on dequantised pixels, chosen by a fifth of the training images."""
    train, test = (
        dequantise(load("digits", split).images, LEVEL, rng).flatten(1).double()
        for split in ("train", "test")
    )
    asked = torch.arange(len(train)) % 5 == 4

    def fitted(size: tuple[Covariance, int], points: Tensor, at: Tensor) -> Tensor:
        fit = fit_gmm(points, size[1], covariance=size[0], floor=1e-3, generator=rng)
        return bits_per_dim(fit.mixture.log_prob(at), train.shape[1], levels=LEVEL)

    size = min(MIXTURES, key=lambda size: fitted(size, train[~asked], train[asked]).mean().item())
    return {"bound": fitted(size, train, test)}


WITHOUT_TRAINING: dict[str, Callable[[torch.Generator], dict[str, Tensor]]] = {
    "uniform": uniform_bits,
    "histograms": histogram_bits,
    "mixture": mixture_bits,
}


def study(*, seeds: int = 5, preset: str = "laptop") -> Study:
    """The study with so many seeds; what draws no random number is measured once."""
    exact = [{"model": name, "seed": 0, "preset": preset} for name in ("uniform", "histograms")]
    drawn = [
        {"model": name, "seed": seed, "preset": preset}
        for name in ("mixture", *NETWORKS, "ddpm-digits")
        for seed in range(seeds)
    ]
    return Study("held_out_bits", exact + drawn, measure)


STUDY = study()
