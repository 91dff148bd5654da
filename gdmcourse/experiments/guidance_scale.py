"""What the guidance scale buys and costs: digits drawn at many scales, by three ways to guide.

`python -m gdmcourse.experiments.guidance_scale` needs the trained `ddpm-digits` and about 6 minutes on one
core. It writes the record `guidance_scale` that the chapter on guidance shows. Source: claims 7, 8, 9, 19.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data import load
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.guidance import classifier_free_guidance, classifier_guidance
from gdmcourse.diffusion.samplers import ancestral, spaced_times
from gdmcourse.experiments import find_recipe
from gdmcourse.experiments.ddpm import DDPMRecipe
from gdmcourse.experiments.records import FOLDER, save_record
from gdmcourse.experiments.trained import trained
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.report import score_samples
from gdmcourse.metrics.spread import within_class_spread
from gdmcourse.training import derive_seed, fit, make_fabric, seeded
from gdmcourse.training.once import use_threads

SCALES = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
GUIDES = {"noisy": "guide-digits", "clean": "guide-clean-digits"}


def guided_denoisers(
    denoiser: Denoiser, classifiers: dict[str, nn.Module], recipe: DDPMRecipe
) -> Iterator[tuple[str, float, Denoiser]]:
    """(way, scale, denoiser) for every setting; scale 0 once, since there all ways are the same."""
    yield "none", 0.0, classifier_free_guidance(denoiser, 0.0)
    for scale in SCALES:
        yield "free", scale, classifier_free_guidance(denoiser, scale)
        for name, network in classifiers.items():
            classifier = network if name == "noisy" else blind(network)
            yield name, scale, classifier_guidance(denoiser, classifier, recipe.schedule(), scale)


def blind(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """The classifier that is told t = 0 whatever the noise, which is all that one of clean images knows."""
    return lambda x, t: network(x, torch.zeros_like(t))


def classifier(name: str, seed: int, preset: str = "laptop") -> nn.Module:
    """The guide of the recipe `name`, trained from another seed."""
    recipe = replace(find_recipe(name, preset), seed=seed)
    train = recipe.data("train")
    with seeded(derive_seed(seed, "weights")):
        model = recipe.model(train)
    result = fit(
        model,
        recipe.loss,
        recipe.tensors(train),
        steps=recipe.steps,
        batch_size=recipe.batch_size,
        lr=recipe.rate(),
        ema_decay=recipe.ema_decay,
        seed=seed,
        fabric=make_fabric(1, 1, accelerator="cpu"),
        progress=False,
    )
    return result.best.requires_grad_(False)


def scores(images: Tensor, labels: Tensor) -> dict[str, float | None]:
    """Fréchet distance and its reference, precision, recall, class accuracy, spread relative to real digits.

    The spread is within the class as which an image is read, since without guidance there is no other.
    """
    network, real = feature_network("digits"), load("digits", "test")
    found = score_samples(images, labels)
    spreads = [within_class_spread(network.features(x), network(x).argmax(1)) for x in (images, real.images)]
    return {
        "frechet": found.frechet,
        "reference": found.reference,
        "precision": found.precision,
        "recall": found.recall,
        "accuracy": found.accuracy,
        "spread": spreads[0] / spreads[1],
    }


def measure(seed: int, *, samples: int, steps: int, preset: str = "laptop") -> list[dict[str, Any]]:
    """Train classifiers from this seed, draw digits by every way at every scale, and score them."""
    ddpm = trained("ddpm-digits", preset)
    recipe = ddpm.recipe
    assert isinstance(recipe, DDPMRecipe)
    guides = {name: classifier(guide, seed, preset) for name, guide in GUIDES.items()}
    labels, rows = torch.arange(samples) % 10, []
    for way, scale, denoiser in guided_denoisers(recipe.denoiser(ddpm.model), guides, recipe):
        # The same noise for every way and scale, so that they differ in the guidance alone.
        generator = torch.Generator().manual_seed(derive_seed(seed, "samples"))
        x_T = torch.randn(samples, 1, 8, 8, generator=generator)
        began, times = time.perf_counter(), spaced_times(recipe.T, steps)
        images = ancestral(denoiser, recipe.schedule(), x_T, times, y=labels, clip=1.0, generator=generator)
        took = time.perf_counter() - began
        rows.append({"way": way, "scale": scale, "seed": seed, **scores(images, labels), "seconds": took})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main(
    folder: Path = FOLDER, *, seeds: int = 5, samples: int = 200, steps: int = 50, preset: str = "laptop"
) -> None:
    """Measure all and write `guidance_scale.json` into `folder`."""
    began = time.process_time()
    with use_threads(1):
        rows = [row for s in range(seeds) for row in measure(s, samples=samples, steps=steps, preset=preset)]
    content = {"rows": rows, "seeds": seeds, "samples": samples, "sampling_steps": steps}
    save_record("guidance_scale", {**content, "cpu_minutes": (time.process_time() - began) / 60}, folder)


if __name__ == "__main__":
    main()
