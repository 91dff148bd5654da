"""The recipe of a GAN against a plain loop of PyTorch, and what a penalty costs that is taken now and then.

Both sides train the same networks with the same optimiser on batches of the same size, in turn, in one run;
what the recipe adds is the loop that resumes, keeps an average and notes the losses.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.nn.functional import softplus

from benchmarks.row import row
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.gan_images import ImageGANRecipe

STEPS, BATCH, IMAGES, THREADS, REPEATS, LAZY = 100, 64, 2000, 1, 5, 8
ALLOWED = 1.05  # of a plain loop's time


def game(name: str = "dcgan-digits", **changes: Any) -> ImageGANRecipe:
    """The recipe for so many steps, with no average, which a plain loop doesn't keep either."""
    recipe = find_recipe(name)
    assert isinstance(recipe, ImageGANRecipe)
    common = {"steps": STEPS, "batch_size": BATCH, "warmup": None, "ema_decay": None}
    return replace(recipe, **common | changes)


def train_plainly(recipe: ImageGANRecipe) -> torch.nn.Module:
    """The same game in a dozen lines, as one would write it for a day; returns the generator."""
    images = recipe.data("train").images
    networks = recipe.build(recipe.data("train"))
    generator, critic = networks["generator"], networks["critic"]
    players = [
        torch.optim.AdamW(network.parameters(), recipe.lr, betas=(0.5, 0.999), fused=True)
        for network in (critic, generator)
    ]
    rng = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        real = images[torch.randint(len(images), (BATCH,), generator=rng)]
        fake = generator(torch.randn(BATCH, recipe.noise_dim, generator=rng)).detach()
        players[0].zero_grad(set_to_none=True)
        (softplus(-critic(real)).mean() + softplus(critic(fake)).mean()).backward()
        players[0].step()
        players[1].zero_grad(set_to_none=True)
        critic.requires_grad_(False)
        softplus(-critic(generator(torch.randn(BATCH, recipe.noise_dim, generator=rng)))).mean().backward()
        critic.requires_grad_(True)
        players[1].step()
    return generator


@torch.no_grad()
def sample_plainly(generator: torch.nn.Module, noise_dim: int) -> torch.Tensor:
    """Images of a network in evaluation."""
    return generator(torch.randn(IMAGES, noise_dim, generator=torch.Generator().manual_seed(0)))


def medians(*runs: Callable[[], Any]) -> list[float]:
    """Median seconds of each, run in turn; the first run of each isn't counted."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(REPEATS + 1):
        for side, run in zip(taken, runs, strict=True):
            begin = time.perf_counter()
            run()
            side.append(time.perf_counter() - begin)
    return [statistics.median(side[1:]) for side in taken]


def rows() -> list[dict[str, str | float]]:
    """Training and sampling against the plain loop, and a lazy penalty against one each step."""
    torch.set_num_threads(THREADS)
    recipe = game()
    train = recipe.data("train")
    generator = recipe.train(train, progress=False).modules["generator"].eval()
    plain = train_plainly(recipe).eval()
    sizes = [sum(p.numel() for p in network.parameters()) for network in (generator, plain)]
    assert sizes[0] == sizes[1], f"the networks should be of one size, not {sizes}"
    training = medians(lambda: recipe.train(train, progress=False), lambda: train_plainly(recipe))
    sampling = medians(
        lambda: recipe.sample(generator, IMAGES, torch.Generator().manual_seed(0)),
        lambda: sample_plainly(plain, recipe.noise_dim),
    )
    penalised = game("r3gan-digits", penalty="r1")
    lazy = replace(penalised, penalty_every=LAZY)
    penalties = medians(
        lambda: lazy.train(train, progress=False), lambda: penalised.train(train, progress=False)
    )
    per_image = 1e3 / (STEPS * BATCH)
    loop = "(peer: a plain loop)"
    return [
        row(f"gan, training, one image {loop}", *[s * per_image for s in training], "ms", ALLOWED),
        row(f"gan, sampling, one image {loop}", *[1e3 * s / IMAGES for s in sampling], "ms", ALLOWED),
        row(
            f"gan, R1 every {LAZY} steps, one image (peer: each step)",
            *[s * per_image for s in penalties],
            "ms",
        ),
    ]
