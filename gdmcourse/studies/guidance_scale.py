"""What the guidance scale buys and costs: digits drawn at many scales, by five ways to guide.

`gdmcourse study guidance_scale` needs the trained `ddpm-digits` and about 20 minutes on one core.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from gdmcourse.data.catalog import load
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.guidance import (
    autoguidance,
    classifier_free_guidance,
    classifier_guidance,
    guided_between,
)
from gdmcourse.diffusion.samplers import ancestral, spaced_times
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.report import score_samples
from gdmcourse.metrics.spread import within_class_spread
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.recipes.trained import trained
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

SCALES = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
GUIDES = {"noisy": "guide-digits", "clean": "guide-clean-digits"}
WORSE_STEPS = 275  # an eighth of the training of `ddpm-digits`
MIDDLE = 200, 800  # times between which the way "middle" guides


def guided_denoisers(
    denoiser: Denoiser, worse: Denoiser, classifiers: dict[str, nn.Module], recipe: DDPMRecipe
) -> Iterator[tuple[str, float, Denoiser]]:
    """(way, scale, denoiser) for every setting, and each of those in which ways agree once.

    At scale 0 these are "free", "noisy" and "clean", and at scale 1 "free", "middle" and "worse", of which
    the latter two are asked beyond 1 alone.
    """
    yield "none", 0.0, classifier_free_guidance(denoiser, 0.0)
    for scale in SCALES:
        free = classifier_free_guidance(denoiser, scale)
        yield "free", scale, free
        if scale > 1:
            yield "middle", scale, guided_between(free, denoiser, *MIDDLE)
            yield "worse", scale, autoguidance(denoiser, worse, scale)
        for name, network in classifiers.items():
            classifier = network if name == "noisy" else blind(network)
            yield name, scale, classifier_guidance(denoiser, classifier, recipe.schedule(), scale)


def blind(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """The classifier that is told t = 0 whatever the noise, which is all that one of clean images knows."""
    return lambda x, t: network(x, torch.zeros_like(t))


def scores(images: Tensor, labels: Tensor) -> dict[str, float | None]:
    """Fréchet distance and its reference, precision, recall, class accuracy, spread relative to real digits.

    The spread is within the class as which an image is read, since without guidance there is no other.
    """
    network, real = feature_network("digits"), load("digits", "test")
    scored = score_samples(images, labels)
    spreads = [within_class_spread(network.features(x), network(x).argmax(1)) for x in (images, real.images)]
    return {
        "frechet": scored.frechet,
        "reference": scored.reference,
        "precision": scored.precision,
        "recall": scored.recall,
        "accuracy": scored.accuracy,
        "spread": spreads[0] / spreads[1],
    }


def measure(folder: Path, *, seed: int, samples: int, steps: int, preset: str) -> Rows:
    """Train classifiers from this seed, draw digits by every way at every scale, and score them."""
    ddpm = trained("ddpm-digits", preset)
    recipe = ddpm.recipe
    assert isinstance(recipe, DDPMRecipe)
    guides = {name: trained(guide, preset, seed=seed).model for name, guide in GUIDES.items()}
    early = trained("ddpm-digits", preset, steps=min(WORSE_STEPS, recipe.steps))
    network, worse = (recipe.denoiser(found.model) for found in (ddpm, early))
    labels, rows = torch.arange(samples) % 10, []
    for way, scale, denoiser in guided_denoisers(network, worse, guides, recipe):
        # The same noise for every way and scale, so that they differ in the guidance alone.
        rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
        x_T = torch.randn(samples, 1, 8, 8, generator=rng)
        began, times = time.perf_counter(), spaced_times(recipe.T, steps)
        images = ancestral(denoiser, recipe.schedule(), x_T, times, y=labels, clip=1.0, generator=rng)
        took = time.perf_counter() - began
        rows.append({"way": way, "scale": scale, "seed": seed, **scores(images, labels), "seconds": took})
    return rows


def study(*, seeds: int = 10, samples: int = 200, steps: int = 50, preset: str = "laptop") -> Study:
    """The study with so many seeds, samples of each setting and steps of sampling."""
    sizes = {"samples": samples, "steps": steps, "preset": preset}
    return Study(
        name="guidance_scale",
        parts=[{"seed": seed, **sizes} for seed in range(seeds)],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "samples": samples, "sampling_steps": steps},
    )


STUDY = study()
