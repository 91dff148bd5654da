"""What a critic that gets ever better tells a generator that stands still, with three losses, on digits.

`gdmcourse study sure_critic` does it for eleven seeds, seven minutes on one core. The eleventh was added when
ten had been looked at: the comparison then made 26 tests, and ten seeds can pass Holm's correction for 25 at
most, whatever they show.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data import load
from gdmcourse.gan import non_saturating_loss, saturating_loss, wasserstein_generator_loss
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.wgan import WassersteinImageRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.play import play

GAMES: dict[str, dict[str, Any]] = {
    "wasserstein": {},
    "discriminator": {"objective": "non-saturating", "penalty": None},
}
LOSSES = {
    "wasserstein": {"wasserstein": wasserstein_generator_loss},
    "discriminator": {"saturating": saturating_loss, "non-saturating": non_saturating_loss},
}


def measure(folder: Path, *, game: str, seed: int, moves: int, before: int, preset: str) -> Rows:
    """Train a generator for `before` steps, then a fresh critic against it alone, and look at powers of two.

    A row has the mean norm of the gradient that each generated image is given, the norm of the gradient of
    the generator's weights, and the share of held-out images whose logit is above that of a generated one.
    """
    base = find_recipe("wgan-gp-digits", preset)
    assert isinstance(base, WassersteinImageRecipe)
    begun = replace(base, steps=before, warmup=None, ema_decay=None, seed=seed)
    recipe = replace(begun, steps=moves, critic_moves=1, seed=seed + 1000, **GAMES[game])
    train, held_out = recipe.data("train"), load("digits", "test").images
    generator = begun.train(train, progress=False).modules["generator"].eval()
    modules = {"generator": generator, "critic": recipe.build(train)["critic"]}
    noise = recipe.noise(len(held_out), torch.Generator().manual_seed(seed))
    rows: Rows = []

    def look(step: int) -> None:
        if step & (step - 1):
            return
        images, critic = generator(noise), modules["critic"].eval()
        logits = critic(images)
        sure = (critic(held_out) > logits).double().mean().item()
        for name, loss in LOSSES[game].items():
            value = loss(logits)
            (felt,) = torch.autograd.grad(value, images, retain_graph=True)
            weights = torch.autograd.grad(value, list(generator.parameters()), retain_graph=True)
            rows.append(
                {
                    "loss": name,
                    "seed": seed,
                    "moves": step,
                    "sure": sure,
                    "image": (len(images) * felt.flatten(1).norm(dim=1)).mean().item(),
                    "weights": torch.cat([part.flatten() for part in weights]).norm().item(),
                }
            )
        critic.train()

    play(
        modules,
        {"critic": recipe.players(modules)["critic"]},
        recipe.tensors(train),
        steps=moves,
        batch_size=recipe.batch_size,
        seed=seed,
        after_step=look,
        progress=False,
    )
    return rows


def study(*, seeds: int = 11, moves: int = 1024, before: int = 150, preset: str = "laptop") -> Study:
    """The study with so many seeds, moves of the critic, and steps of the game before them."""
    sizes = {"moves": moves, "before": before, "preset": preset}
    return Study(
        name="sure_critic",
        parts=[{"game": game, "seed": seed, **sizes} for seed in range(seeds) for game in GAMES],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, **sizes},
    )


STUDY = study()
