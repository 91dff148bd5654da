"""What a training costs in multiplications, counted on a step of a few examples."""

from dataclasses import replace
from types import SimpleNamespace

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.flops import operations
from gdmcourse.training.player import Turn, frozen

FEW = 8  # examples of the step that is counted


def training_multiplications(recipe: ImageRecipe) -> int:
    """Multiplications of the whole training: every move of every player, forward and backward, each step.

    What is made of the data before the first step counts, as a teacher's images do; networks below don't. Of
    a lazy penalty a whole period is counted. Trains what is below, if need be.
    """
    train = recipe.data("train")
    few = replace(train, images=train.images[:FEW], labels=train.labels[:FEW])
    modules = recipe.build(few)
    players = recipe.players(modules)
    networks, rng = SimpleNamespace(**modules), torch.Generator().manual_seed(0)
    period = getattr(recipe, "penalty_every", 1)
    with operations() as prepared, sdpa_kernel(SDPBackend.MATH):
        data = recipe.tensors(few)
    batch = tuple(part[:FEW] for part in data) if isinstance(data, tuple) else data[:FEW]
    with operations() as counter, sdpa_kernel(SDPBackend.MATH):
        for name, player in players.items():
            with frozen([network for other, network in modules.items() if other != name]):
                for move in range(period * player.moves):
                    player.loss(networks, batch, Turn(move % period, rng)).backward()
    once = prepared.get_total_flops() / FEW * len(train.images)
    step = counter.get_total_flops() / period / FEW * recipe.batch_size
    return round((once + step * recipe.steps) / 2)  # a multiplication and an addition were two
